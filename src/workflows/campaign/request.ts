import { resolve } from 'node:path';
import { readCampaign } from '../../adapters/campaign-store.ts';
import { campaignNameRule, isCampaignName, type CampaignFile } from '../../core/campaign/campaign-file.ts';
import { parseFilter, type CaseFilter } from '../../core/campaign/filter.ts';
import { parseRetry, type RetryPolicy } from '../../core/campaign/retry-policy.ts';
import { faultsError, SuperOffloadError, type Fault } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { PlanRequest } from '../plan/request.ts';

/** What a user asks of `campaign run`. */
export interface CampaignRequest extends PlanRequest {
  readonly name: string;
  /** Name of an experiment, or absolute path of its file. */
  readonly experiment: string;
  /** The flags that are kept with the campaign, as they were given. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Which cells of the experiment the campaign has. */
  readonly filter: readonly string[];
  /** Which of these are run this time. */
  readonly only: readonly string[];
  readonly resume: boolean;
  readonly acceptChanges: boolean;
  /** Take over runs of other campaigns, and of none, that measured the same. */
  readonly reuse: boolean;
  readonly repeat: number;
  readonly retry: readonly string[];
  readonly maxRetries: number;
  /** Runs at the same time; null is as many as the scheduler makes sensible. */
  readonly maxJobs: number | null;
  /** No run begins that would not end within this time from now, milliseconds; null is no limit. */
  readonly withinMs: number | null;
  /** The runs of equal resources are one job array of Slurm. */
  readonly array: boolean;
  /** All runs take place in one allocation of Slurm. */
  readonly allocation: boolean;
  /** The command that goes on with it after an interruption; absent: `campaign run NAME --resume`. */
  readonly goOn?: string;
}

/** Where the flags of a campaign come from. */
export interface CampaignOrigin {
  readonly name: string;
  readonly experiment: string;
  /** What is stored of it; null for a new one. */
  readonly stored: CampaignFile | null;
}

export interface OriginOptions {
  /** null: called as the experiment. */
  readonly name: string | null;
  readonly resume: boolean;
}

/**
 * Finds the campaign that is meant.
 * @param wanted name or path of an experiment; to go on, also the name of a campaign
 * @throws SuperOffloadError 'usage' for one to go on with that is not there.
 */
export async function findOrigin(
  context: Context,
  wanted: string,
  { name: givenName, resume }: OriginOptions,
): Promise<CampaignOrigin> {
  const isPath = wanted.endsWith('.json') || wanted.includes('/');
  const name = givenName ?? (isPath ? nameOfPath(wanted) : wanted);
  if (!isCampaignName(name)) {
    const place = givenName === null ? JSON.stringify(wanted) : `--name ${JSON.stringify(name)}`;
    throw faultsError('usage', [{ place, problem: 'names no campaign', expected: campaignNameRule }]);
  }
  const stored = (await readCampaign(context.home, name)) ?? null;
  if (resume && stored === null) throw nothingToResume(name);
  const experiment = isPath ? resolve(context.cwd, wanted) : (stored?.experiment ?? wanted);
  return { name, experiment, stored };
}

function nameOfPath(path: string): string {
  const file = path.split('/').at(-1) ?? '';
  return file.replace(/\.json$/, '');
}

function nothingToResume(name: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'usage',
    message: `there is no campaign ${name} to go on with`,
    hint: 'see: superoffload campaign list; to begin it, leave out --resume',
  });
}

/** The words of a request, read. */
export interface CampaignRules {
  readonly filter: CaseFilter;
  readonly only: CaseFilter;
  readonly retry: RetryPolicy;
}

/** @throws SuperOffloadError 'usage' with every fault of them. */
export function readRules(request: Pick<CampaignRequest, 'filter' | 'only' | 'retry'>): CampaignRules {
  const filter = parseFilter(request.filter);
  const only = parseFilter(request.only);
  const retry = parseRetry(request.retry);
  const faults: Fault[] = [filter, only, retry].flatMap((read) => (read.ok ? [] : read.faults));
  if (!filter.ok || !only.ok || !retry.ok) throw faultsError('usage', faults);
  return { filter: filter.filter, only: only.filter, retry: retry.policy };
}
