import { faultsError } from '../../errors.ts';
import { attachRun } from '../runs/attach.ts';
import { runCase } from '../runs/run-case.ts';
import type { RunStarter } from './drive.ts';
import type { PlannedCampaign } from './plan-campaign.ts';
import type { CampaignRequest } from './request.ts';

/** A starter, how many of its runs may be under way, and what it holds on to. */
export interface CampaignStarter extends RunStarter {
  readonly maxJobs: number;
  readonly close: () => Promise<void>;
}

/** Jobs in a queue at the same time: sites let a user have a few dozen, and a failing campaign should not fill them. */
const defaultSlurmJobs = 16;

/**
 * @returns how many runs may be under way at the same time.
 * @throws SuperOffloadError 'usage' for flags that contradict the scheduler.
 */
export function maxJobsOf(
  { maxJobs }: Pick<CampaignRequest, 'maxJobs'>,
  { plans }: Pick<PlannedCampaign, 'plans'>,
): number {
  const isSlurm = [...plans.values()].some(({ schedule }) => schedule?.scheduler === 'slurm');
  if (isSlurm) return maxJobs ?? defaultSlurmJobs;
  if (maxJobs === null || maxJobs === 1) return 1;
  const problem = 'runs that share machines disturb each other, and only Slurm gives each its own';
  throw faultsError('usage', [{ place: `--max-jobs ${maxJobs}`, problem, expected: '--scheduler slurm' }]);
}

/** @throws SuperOffloadError as {@link maxJobsOf}. */
export function starterOf(request: CampaignRequest, planned: PlannedCampaign): CampaignStarter {
  return {
    start: runCase,
    attach: attachRun,
    maxJobs: maxJobsOf(request, planned),
    close: () => Promise.resolve(),
  };
}
