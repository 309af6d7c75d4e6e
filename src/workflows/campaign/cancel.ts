import { setTimeout as sleep } from 'node:timers/promises';
import {
  campaignDriver,
  lockCampaign,
  openCampaignJournal,
  readCampaignJournal,
  requestCampaignCancel,
} from '../../adapters/campaign-store.ts';
import type { CampaignFile } from '../../core/campaign/campaign-file.ts';
import { cellStanding, statesOf } from '../../core/campaign/state.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { cancelRun } from '../runs/cancel.ts';
import { closeAllocation, isAllocationOpen } from '../slurm/allocation.ts';
import { allCells, findCampaign, rulesOf } from './status.ts';
import { CampaignSession } from './session.ts';

const pollMs = 300;

export interface CampaignCancel {
  readonly name: string;
  readonly dryRun: boolean;
  /** Runs that were under way. */
  readonly runIds: readonly string[];
  /** Cells that have launches to come. */
  readonly left: number;
}

/**
 * Ends a campaign: no other run begins, and those that are under way are cancelled, with their records. It can be gone
 * on with.
 * Where nothing of it runs there is nothing to do, which is as good.
 * @throws SuperOffloadError 'usage' where there is no such campaign.
 */
export async function cancelCampaign(
  context: Context,
  wanted: string,
  { dryRun }: { readonly dryRun: boolean },
): Promise<CampaignCancel> {
  const campaign = await findCampaign(context, wanted);
  const { name } = campaign;
  const runIds = openRuns(context, campaign);
  const isDriven = campaignDriver(context.home, name) !== undefined;
  const isAtWork = runIds.length > 0 || isDriven;
  if (isAtWork && !dryRun) {
    await requestCampaignCancel(context.home, name);
    const ended = isDriven ? await endDriven(context, campaign) : await endLone(context, campaign);
    return { name, dryRun, runIds: ended, left: leftOf(context, campaign) };
  }
  return { name, dryRun, runIds, left: leftOf(context, campaign) };
}

function openRuns({ home }: Context, campaign: CampaignFile): string[] {
  const states = statesOf(allCells(campaign), readCampaignJournal(home, campaign.name));
  return states.flatMap(({ attempts }) =>
    attempts.filter(({ outcome }) => outcome === null).map(({ runId }) => runId),
  );
}

function leftOf({ home }: Context, campaign: CampaignFile): number {
  const states = statesOf(allCells(campaign), readCampaignJournal(home, campaign.name));
  return states.filter((state) => cellStanding(state, rulesOf(campaign)) !== 'settled').length;
}

/** The tool that drives it writes the results; a run that it began in the meantime is cancelled too. */
async function endDriven(context: Context, campaign: CampaignFile): Promise<string[]> {
  const asked = new Map<string, Promise<unknown>>();
  while (campaignDriver(context.home, campaign.name) !== undefined) {
    context.signal.throwIfAborted();
    for (const runId of openRuns(context, campaign)) {
      if (!asked.has(runId)) asked.set(runId, cancelRun(context, runId).catch(unlessEnded));
    }
    await sleep(pollMs);
  }
  await Promise.all(asked.values());
  return [...asked.keys()];
}

/** Nobody drives it: its results are written here. */
async function endLone(context: Context, campaign: CampaignFile): Promise<string[]> {
  const mutex = await lockCampaign(context.home, campaign.name);
  try {
    const journal = await openCampaignJournal(context.home, campaign.name);
    try {
      const session = new CampaignSession(context, journal, allCells(campaign));
      const open = session.states.flatMap(({ cell, attempts }) =>
        attempts.filter(({ outcome }) => outcome === null).map(({ runId }) => ({ cell, runId })),
      );
      await Promise.all(
        open.map(async ({ cell, runId }) => {
          const record = await cancelRun(context, runId).catch(unlessEnded);
          if (record === null) session.void(cell, runId);
          else if (record !== undefined) session.result(cell, record);
        }),
      );
      await giveBackNodes(context, session);
      return open.map(({ runId }) => runId);
    } finally {
      journal.close();
    }
  } finally {
    await mutex.release();
  }
}

/** A tool that was killed left its allocation open. */
async function giveBackNodes(context: Context, { lastAllocation: held }: CampaignSession): Promise<void> {
  if (held !== null && (await isAllocationOpen(context, held.jobId))) await closeAllocation(context, held);
}

/** It ended by itself before it was asked to: the next `--resume` takes its record. */
function unlessEnded(error: unknown): undefined {
  if (error instanceof SuperOffloadError && error.code === 'usage') return undefined;
  throw error;
}
