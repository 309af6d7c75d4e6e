import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { StoredRun } from '../../adapters/stored-runs.ts';
import { runFiles } from '../../core/results/run-files.ts';

/** Whether anything was ever started: its end may have come while nobody looked. */
export function wasStarted({ path, events }: Pick<StoredRun, 'path' | 'events'>): boolean {
  const log = join(path, runFiles.log);
  const isTold = events.some(({ type }) => type === 'started' || type === 'submitted' || type === 'exited');
  return isTold || (existsSync(log) && statSync(log).size > 0);
}

/**
 * Whether nothing of a run can be anywhere: its tool was killed after it made the folder, and before it started
 * anything. On hosts and in allocations what was started may not be written down yet: there nobody is sure.
 */
export function isNeverStarted(run: StoredRun): boolean {
  if (run.watched || run.elsewhere || run.livePids.length > 0 || wasStarted(run)) return false;
  const schedule = run.plan?.schedule;
  if (schedule === undefined) return true;
  const isJob = schedule.scheduler === 'slurm' && schedule.allocation === null;
  return isJob && !run.events.some(({ type }) => type === 'submitting');
}
