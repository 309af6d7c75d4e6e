/** Running tasks of others, as a share of the cores, above which a measurement is in doubt; one alone may be chance. */
const foreignLoadShare = 0.25;

/** Were so many tasks of others running before a run that its times are in doubt? One rule for all who say so. */
export function isBusyMachine(runningTasks: number, cores: number): boolean {
  return runningTasks > Math.max(1, foreignLoadShare * cores);
}
