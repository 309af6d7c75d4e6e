import { faultsError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { attachRun } from '../runs/attach.ts';
import { runCase } from '../runs/run-case.ts';
import { openAllocationStarter } from './allocation-starter.ts';
import { arrayStarter } from './array-starter.ts';
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

/** Jobs in a queue at the same time: sites let a user have a few dozen, and a failing campaign should not fill them. */
const defaultSlurmJobs = 16;

type Planned = Pick<PlannedCampaign, 'plans'>;

/**
 * @returns how many runs may have their machines at the same time.
 * @throws SuperOffloadError 'usage' for flags that contradict the scheduler, or each other.
 */
export function atOnceOf(
  { maxJobs, array, allocation }: Pick<CampaignRequest, 'maxJobs' | 'array' | 'allocation'>,
  { plans }: Planned,
): number {
  const expected = '--scheduler slurm, or a --system that has it';
  const isSlurm = [...plans.values()].some(({ schedule }) => schedule?.scheduler === 'slurm');
  const faults = [
    ...(array && allocation
      ? [{ place: '--array', problem: 'and --allocation exclude each other', expected: 'one of the two' }]
      : []),
    ...(isSlurm || !array ? [] : [{ place: '--array', problem: "is Slurm's", expected }]),
    ...(isSlurm || !allocation ? [] : [{ place: '--allocation', problem: "is Slurm's", expected }]),
    ...(isSlurm || maxJobs === null || maxJobs === 1
      ? []
      : [
          {
            place: `--max-jobs ${maxJobs}`,
            problem: 'runs that share machines disturb each other, and only Slurm gives each its own',
            expected,
          },
        ]),
  ];
  if (faults.length > 0) throw faultsError('usage', faults);
  return isSlurm ? (maxJobs ?? defaultSlurmJobs) : 1;
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
