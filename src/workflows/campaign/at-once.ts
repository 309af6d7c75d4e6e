import { faultsError } from '../../errors.ts';
import type { PlannedCampaign } from './plan-campaign.ts';
import type { CampaignRequest } from './request.ts';

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
