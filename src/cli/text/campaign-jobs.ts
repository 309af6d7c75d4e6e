import { quoteCommand } from '../../core/launch/quote.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { arrayScript, arraysOf } from '../../core/slurm/array-script.ts';
import { allocationWords } from '../../core/slurm/options.ts';
import { slurmPlanOf } from '../../core/slurm/slurm-plan.ts';

/** Slurm's own default of MaxArraySize, less one; a cluster with another is asked when it comes to it. */
const mostTasks = 1000;

interface JobOptions {
  readonly name: string;
  readonly array: boolean;
  readonly allocation: boolean;
  readonly maxJobs: number | null;
}

/**
 * What a campaign gives to Slurm around its runs: the scripts of its job arrays, or the allocation for all of them.
 * Folders and ids of runs are not known before.
 */
export function campaignJobs(plans: readonly RunPlan[], options: JobOptions): string[] {
  const queued = plans.filter(({ schedule }) => schedule?.scheduler === 'slurm');
  if (queued.length === 0) return [];
  if (options.array) {
    const tasks = queued.map((plan) => {
      const runId = `RUN_OF-${plan.caseId}`;
      return { plan: slurmPlanOf(plan), place: { runId, folder: `/RUNS/${runId}` } };
    });
    return arraysOf(tasks, mostTasks).map(
      (array) => `## array.sbatch\n${arrayScript(array, options.maxJobs)}`,
    );
  }
  return options.allocation ? [`## allocation\n${allocationLine(queued, options.name)}`] : [];
}

function allocationLine(plans: readonly RunPlan[], name: string): string {
  const [largest] = plans.map(slurmPlanOf).sort((a, b) => b.schedule.layout.nodes - a.schedule.layout.nodes);
  const words = allocationWords(largest?.schedule.options ?? {});
  return quoteCommand(['salloc', '--no-shell', `--job-name=superoffload-${name}`, ...words]);
}
