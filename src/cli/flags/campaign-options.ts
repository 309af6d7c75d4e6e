import { defaultRetry } from '../../core/campaign/retry-policy.ts';
import type { CampaignOrigin, CampaignRequest } from '../../workflows/campaign/request.ts';
import { requestOf } from './case.ts';
import type { CampaignOptions } from '../commands/campaign.ts';
import { given } from './given.ts';

/** Flags as a user gave them: with defaults, and which of them are none. */
export interface GivenOptions {
  readonly options: CampaignOptions;
  /** Names of those that were on the command line. */
  readonly given: readonly string[];
}

/** Flags of one call, which are no part of what the campaign is. */
const ofTheCall: ReadonlySet<string> = new Set<keyof CampaignOptions>([
  'name',
  'resume',
  'acceptChanges',
  'maxHours',
  'list',
  'dryRun',
  'json',
]);

/**
 * Joins the flags of a call with those that a campaign was begun with: what is given again stands, what is not is as it
 * was. The filter of a call that goes on chooses among the campaign's cases and changes none.
 */
export function campaignRequest(
  { options, given: names }: GivenOptions,
  { name, experiment, stored }: CampaignOrigin,
): CampaignRequest {
  const goesOn = stored !== null && options.resume === true;
  const isKept = (key: string): boolean => !ofTheCall.has(key) && !(goesOn && key === 'filter');
  const now = Object.entries(options).filter(([key]) => names.includes(key) && isKept(key));
  const kept: Partial<CampaignOptions> = { ...(goesOn ? stored.options : {}), ...Object.fromEntries(now) };
  const all: CampaignOptions = { ...options, ...kept };
  const { chips, ...flags } = requestOf(all).flags;
  return {
    ...requestOf(all, { ...runOptions(all), dryRun: options.dryRun === true || options.list === true }),
    // An experiment has numbers of chips of its own.
    flags: {
      ...flags,
      ...('chips' in kept ? given('chips', chips) : {}),
      ...(all.fixedBatch === true ? { batchRule: false } : {}),
    },
    ...{ name, experiment },
    options: kept,
    filter: kept.filter ?? [],
    only: goesOn ? (options.filter ?? []) : [],
    resume: options.resume ?? false,
    acceptChanges: options.acceptChanges ?? false,
    reuse: all.reuse,
    repeat: all.repeat,
    retry: all.retry ?? defaultRetry,
    maxRetries: all.maxRetries,
    maxJobs: all.maxJobs ?? null,
    withinMs: options.maxHours ?? null,
    array: all.array ?? false,
    allocation: all.allocation ?? false,
  };
}

function runOptions({ allSteps, maxError, timeout, stallTimeout }: CampaignOptions) {
  return {
    maxError: allSteps === true ? null : maxError,
    limits: {
      ...given('timeoutMs', timeout),
      ...given('minStallMs', stallTimeout),
      ...(stallTimeout === undefined ? {} : { firstStepMs: stallTimeout, stallFactor: 0 }),
    },
  };
}
