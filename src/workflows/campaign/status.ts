import {
  campaignDriver,
  lastActiveMs,
  listCampaigns,
  readCampaign,
  readCampaignJournal,
} from '../../adapters/campaign-store.ts';
import type { CampaignFile } from '../../core/campaign/campaign-file.ts';
import type { Cell } from '../../core/campaign/cell.ts';
import { defaultRetry, parseRetry } from '../../core/campaign/retry-policy.ts';
import { defaultMaxRetries, statesOf, withVariants, type LaunchRules } from '../../core/campaign/state.ts';
import { nearest } from '../../core/experiment/nearest.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { cellReports, countsOf, type CampaignCounts, type CellReport } from './report.ts';

/** One line of `campaign list`. */
export interface CampaignListing {
  readonly name: string;
  readonly experiment: string;
  /** `complete`: every cell has its answer or its failure. `driven`: a tool is at work. `unreadable`: damaged, or of a
   * newer version. */
  readonly state: 'driven' | 'stopped' | 'complete' | 'unreadable';
  /** Of the tool that drives it; null where none does, or where it has not said. */
  readonly driverPid: number | null;
  readonly counts: CampaignCounts;
  readonly createdUtc: string | null;
  /** When its journal was last written. */
  readonly activeUtc: string | null;
  /** Why it cannot be read. */
  readonly problem: string | null;
}

export interface CampaignStatus extends CampaignListing {
  readonly cells: readonly CellReport[];
  /** Wall time of all launches together, milliseconds. */
  readonly spentMs: number;
  readonly launches: number;
}

/** All campaigns, by name. */
export async function listAllCampaigns(context: Context): Promise<CampaignListing[]> {
  const listings: CampaignListing[] = [];
  for (const name of await listCampaigns(context.home)) {
    try {
      const campaign = await readCampaign(context.home, name);
      if (campaign !== undefined) listings.push(await listing(context, campaign));
    } catch (error) {
      if (!(error instanceof SuperOffloadError)) throw error;
      listings.push(unreadable(name, error));
    }
  }
  return listings;
}

/**
 * @param wanted null for the one that was active last
 * @throws SuperOffloadError 'usage' where there is no such campaign.
 */
export async function campaignStatus(context: Context, wanted: string | null): Promise<CampaignStatus> {
  const campaign = await findCampaign(context, wanted);
  const rules = rulesOf(campaign);
  const states = statesOf(allCells(campaign), readCampaignJournal(context.home, campaign.name));
  const attempts = states.flatMap((state) => state.attempts.filter(({ adopted }) => !adopted));
  return {
    ...(await listing(context, campaign)),
    cells: cellReports(context, states, rules),
    spentMs: attempts.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0),
    launches: attempts.length,
  };
}

/** @throws SuperOffloadError 'usage' where there is no such campaign. */
export async function findCampaign(context: Context, wanted: string | null): Promise<CampaignFile> {
  const names = await listCampaigns(context.home);
  const name = wanted ?? (await newest(context, names));
  const campaign = name === null ? undefined : await readCampaign(context.home, name);
  if (campaign !== undefined) return campaign;
  const near = nearest(name ?? '', names);
  throw new SuperOffloadError({
    code: 'usage',
    message: name === null ? 'there is no campaign yet' : `there is no campaign ${JSON.stringify(name)}`,
    hint:
      near === undefined
        ? 'see: superoffload campaign list; to begin one: superoffload campaign run throughput'
        : `did you mean ${near}?`,
  });
}

async function newest({ home }: Context, names: readonly string[]): Promise<string | null> {
  const times = await Promise.all(names.map(async (name) => ({ name, ms: await lastActiveMs(home, name) })));
  return times.sort((a, b) => (b.ms ?? 0) - (a.ms ?? 0))[0]?.name ?? null;
}

/** With what the rule for the batch has added. */
export function allCells({ cells, variants }: CampaignFile): Cell[] {
  return withVariants(cells, variants);
}

/** The rules that a campaign was begun with, or was last gone on with. */
export function rulesOf({ options }: Pick<CampaignFile, 'options'>): LaunchRules {
  const { repeat, retry, maxRetries } = options as Partial<{
    readonly repeat: number;
    readonly retry: readonly string[];
    readonly maxRetries: number;
  }>;
  const parsed = parseRetry(retry ?? defaultRetry);
  return {
    repeat: repeat ?? 1,
    retry: parsed.ok ? parsed.policy : new Set(),
    maxRetries: maxRetries ?? defaultMaxRetries,
  };
}

async function listing(context: Context, campaign: CampaignFile): Promise<CampaignListing> {
  const { name, experiment, createdUtc } = campaign;
  const states = statesOf(allCells(campaign), readCampaignJournal(context.home, name));
  const counts = countsOf(states, rulesOf(campaign));
  const driver = campaignDriver(context.home, name);
  const activeMs = await lastActiveMs(context.home, name);
  const isComplete = counts.left + counts.running === 0;
  return {
    ...{ name, experiment, counts, createdUtc },
    state: driver !== undefined ? 'driven' : isComplete ? 'complete' : 'stopped',
    driverPid: driver === undefined || driver === 0 ? null : driver,
    activeUtc: activeMs === null ? null : new Date(activeMs).toISOString(),
    problem: null,
  };
}

function unreadable(name: string, { message: problem }: SuperOffloadError): CampaignListing {
  const counts = countsOf([], rulesOf({ options: {} }));
  return {
    ...{ name, experiment: '', state: 'unreadable', driverPid: null, counts },
    ...{ createdUtc: null, activeUtc: null, problem },
  };
}
