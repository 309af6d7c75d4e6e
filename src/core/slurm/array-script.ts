import { groupBy } from '../collections/group-by.ts';
import { quoteWord } from '../launch/quote.ts';
import { runFiles } from '../results/run-files.ts';
import { directives, type JobPlace } from './job-script.ts';
import type { SlurmPlan } from './slurm-plan.ts';

/** One run of an array. */
export interface ArrayTask {
  readonly place: JobPlace;
  readonly plan: SlurmPlan;
}

/** One array: runs that ask for the same machines. */
export interface JobArray {
  /** Of the job; the array's own files are in a folder of this name. */
  readonly name: string;
  /** The index in it is the number of the task. */
  readonly tasks: readonly ArrayTask[];
}

/**
 * Sorts runs into arrays: all tasks of one have the same options, and Slurm allows so many tasks in one (MaxArraySize
 * less one, 1000 by default).
 */
export function arraysOf(tasks: readonly ArrayTask[], mostTasks: number): JobArray[] {
  const groups = groupBy(tasks, ({ plan }) => JSON.stringify(plan.schedule.options));
  return [...groups.values()].flatMap((group) => {
    const chunks: JobArray[] = [];
    for (let index = 0; index < group.length; index += mostTasks) {
      const chunk = group.slice(index, index + mostTasks);
      chunks.push({ name: `array-${chunk[0]?.place.runId ?? ''}`, tasks: chunk });
    }
    return chunks;
  });
}

/**
 * `array.sbatch`: which task is which run. A task becomes the run's own job script, so that signals reach that.
 * @param limit how many tasks may run at once; null leaves it to Slurm
 */
export function arrayScript({ name, tasks }: JobArray, limit: number | null): string {
  const options = tasks[0]?.plan.schedule.options ?? {};
  const range = `0-${tasks.length - 1}${limit === null ? '' : `%${limit}`}`;
  return [
    '#!/bin/bash',
    ...directives(name, arrayLog, { ...options, array: range }),
    '',
    'case $SLURM_ARRAY_TASK_ID in',
    ...tasks.map(({ place }, task) => `${task}) run=${quoteWord(place.folder)} ;;`),
    'esac',
    `exec /bin/bash "$run"/${runFiles.jobScript}`,
    '',
  ].join('\n');
}

/** Where Slurm writes what it says of a task, in the array's folder: a link to the log of the task's run. */
export const arrayLog = '%a.log';
