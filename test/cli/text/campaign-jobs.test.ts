import { describe, expect, it } from 'vitest';
import { campaignJobs } from '../../../src/cli/text/campaign-jobs.ts';
import type { SlurmSchedule } from '../../../src/core/launch/schedule.ts';
import { samplePlan } from '../../core/sample-plan.ts';

const schedule = (nodes: number): SlurmSchedule => ({
  scheduler: 'slurm',
  layout: { nodes, ranksPerNode: 1 },
  options: { nodes: String(nodes), 'no-requeue': '' },
  setup: [],
  bindCores: false,
  allocation: null,
});
const plans = [1, 2].map((nodes) => ({ ...samplePlan({ seed: nodes }), schedule: schedule(nodes) }));
const options = { name: 'mine', array: false, allocation: false, maxJobs: 3 };

describe('campaignJobs', () => {
  it('is an array for each kind of machines, held to its limit', () => {
    const arrays = campaignJobs(plans, { ...options, array: true });
    expect(arrays).toHaveLength(2);
    expect(arrays[0]).toContain('#SBATCH --array=0-0%3');
    expect(arrays[1]).toContain('#SBATCH --nodes=2');
  });

  it('is one allocation, large enough for the largest run', () => {
    expect(campaignJobs(plans, { ...options, allocation: true })).toEqual([
      '## allocation\nsalloc --no-shell --job-name=superoffload-mine --nodes=2',
    ]);
  });

  it('is nothing where runs are jobs of their own, or run here', () => {
    expect(campaignJobs(plans, options)).toEqual([]);
    expect(campaignJobs([samplePlan()], { ...options, array: true })).toEqual([]);
  });
});
