import type { Context } from '../context.ts';
import { attachRun } from '../runs/attach.ts';
import { runCase } from '../runs/run-case.ts';
import { openAllocationStarter } from './allocation-starter.ts';
import { arrayStarter } from './array-starter.ts';
import { atOnceOf } from './at-once.ts';
import type { RunStarter } from './drive.ts';
import type { PlannedCampaign } from './plan-campaign.ts';
import type { CampaignRequest } from './request.ts';
import type { CampaignSession } from './session.ts';

/** A starter, and what it holds on to. */
export interface CampaignStarter extends RunStarter {
  /** Launches that may be under way. */
  readonly maxJobs: number;
  /** Launches that have their machines at the same time. */
  readonly atOnce: number;
  /** When its machines are taken away, milliseconds since the epoch; null where they are not. */
  readonly untilMs: number | null;
  readonly close: () => Promise<void>;
}

/**
 * Makes ready to start runs; in an allocation, waits until Slurm has granted it.
 * @throws SuperOffloadError 'environment' where it never would.
 */
export async function openStarter(
  context: Context,
  request: CampaignRequest,
  planned: PlannedCampaign,
  session: CampaignSession,
): Promise<CampaignStarter> {
  const atOnce = atOnceOf(request, planned);
  const each: CampaignStarter = {
    start: runCase,
    attach: attachRun,
    ...{ maxJobs: atOnce, atOnce, untilMs: null },
    close: () => Promise.resolve(),
  };
  if (request.array) {
    // Slurm holds all of them and lets so many run.
    return { ...each, ...arrayStarter(atOnce), maxJobs: Number.POSITIVE_INFINITY };
  }
  return request.allocation ? openAllocationStarter(context, request, planned, session) : each;
}
