import type { RunRecord } from './record.ts';

/** Running tasks of others, as a share of the cores, above which a measurement is in doubt; one alone may be chance. */
const foreignLoadShare = 0.25;

/** Were so many tasks of others running before a run that its times are in doubt? One rule for all who say so. */
export function isBusyMachine(runningTasks: number, cores: number): boolean {
  return runningTasks > Math.max(1, foreignLoadShare * cores);
}

/** @returns of each of these launches that had a busy machine before it, how many tasks of others ran there. */
export function busyTasks(launches: readonly RunRecord[]): number[] {
  return launches.flatMap(({ conditions: { runningTasksBefore: tasks }, system: { cores } }) =>
    tasks !== null && isBusyMachine(tasks, cores) ? [tasks] : [],
  );
}
