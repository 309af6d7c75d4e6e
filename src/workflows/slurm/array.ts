import { mkdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { withFileErrors, writeTextAtomic } from '../../adapters/files.ts';
import { configuredNumber } from '../../adapters/schedulers/slurm/tools.ts';
import { appendEvent, type RunFolder } from '../../adapters/run-store.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { runFiles } from '../../core/results/run-files.ts';
import {
  arrayLog,
  arrayScript,
  arraysOf,
  type ArrayTask,
  type JobArray,
} from '../../core/slurm/array-script.ts';
import { submitEnvironment } from '../../core/slurm/environment.ts';
import { slurmPlanOf } from '../../core/slurm/slurm-plan.ts';
import { utcNow, type Context } from '../context.ts';
import { accessOf } from './cluster.ts';
import { keep, submitPatiently, writeJobScript } from './submit.ts';

/** Slurm's own default of MaxArraySize. */
const defaultArraySize = 1001;

/**
 * Gives many runs to Slurm as tasks of one job array (of several, one after another, where they ask for different
 * machines or are more than Slurm allows in one). Each run's journal has its task afterwards, and each is followed as
 * any other job.
 * @param limit how many run at once; null leaves it to Slurm
 * @throws SuperOffloadError 'environment' where Slurm refuses: arrays before it stay submitted, as the journals say.
 */
export async function submitArray(
  context: Context,
  runs: readonly { readonly folder: RunFolder; readonly plan: RunPlan }[],
  { limit }: { readonly limit: number | null },
): Promise<void> {
  const tasks: ArrayTask[] = [];
  for (const { folder, plan } of runs) {
    const slurmPlan = slurmPlanOf(plan);
    await writeJobScript(folder, slurmPlan);
    tasks.push({ plan: slurmPlan, place: { runId: folder.runId, folder: folder.path } });
  }
  const cluster = tasks[0]?.plan.schedule.options['clusters'] ?? null;
  const size = await configuredNumber(accessOf(context, cluster), 'MaxArraySize');
  const mostTasks = ((size.ok ? size.value : null) ?? defaultArraySize) - 1;
  let previous: string | null = null;
  for (const array of arraysOf(tasks, mostTasks)) {
    previous = await submitOne(context, array, { limit, after: previous });
  }
}

/** Later arrays wait for earlier ones: the limit is of all of them together. */
async function submitOne(
  context: Context,
  array: JobArray,
  { limit, after }: { readonly limit: number | null; readonly after: string | null },
): Promise<string> {
  const script = await writeArray(array, limit);
  const beginUtc = utcNow(context);
  for (const [task, { place }] of array.tasks.entries())
    appendEvent(folderOf(place), { type: 'submitting', utc: beginUtc, jobName: array.name, task });
  const options = array.tasks[0]?.plan.schedule.options ?? {};
  const request = {
    script,
    folder: dirname(script),
    output: join(dirname(script), arrayLog),
    env: submitEnvironment(context.env, options),
    cluster: options['clusters'] ?? null,
    words: after === null || limit === null ? [] : [`--dependency=afterany:${after}`],
  };
  const { jobId, cluster } = await submitPatiently(context, request, array.name, beginUtc);
  await keep(context, { jobId, cluster }, array.name, () => {
    for (const [task, { place }] of array.tasks.entries()) {
      const own = `${jobId}_${task}`;
      appendEvent(folderOf(place), { type: 'submitted', utc: utcNow(context), jobId: own, cluster });
    }
  });
  return jobId;
}

function folderOf({ runId, folder }: ArrayTask['place']): RunFolder {
  return { runId, path: folder };
}

/** In the folder of its first run: the script, and a link for each task to the log of its run. */
async function writeArray(array: JobArray, limit: number | null): Promise<string> {
  const folder = join(array.tasks[0]?.place.folder ?? '', runFiles.array);
  await withFileErrors(folder, async () => {
    await mkdir(folder, { recursive: true });
    for (const [task, { place }] of array.tasks.entries())
      await symlink(join(place.folder, runFiles.log), join(folder, arrayLog.replace('%a', String(task))));
  });
  const script = join(folder, runFiles.arrayScript);
  await writeTextAtomic(script, arrayScript(array, limit), 0o755);
  return script;
}
