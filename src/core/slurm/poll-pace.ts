/** How often Slurm is asked. The controller serves everybody: sites lock out those who ask all the time. */
export interface PollPace {
  /** Between a job's coming and the first question about it. */
  readonly firstMs: number;
  /** Between two questions, whatever happens. */
  readonly shortestMs: number;
  /** Between two questions while nothing changes. */
  readonly longestMs: number;
}

/** Starts and ends are seen in the jobs' own files at once: Slurm is asked for reasons, and in case of doubt. */
export const politePace: PollPace = { firstMs: 1_000, shortestMs: 10_000, longestMs: 30_000 };

/** The next delay: half as long again while nothing changes. */
export function pollDelay(pace: PollPace, lastMs: number, hasChanged: boolean): number {
  return hasChanged ? pace.shortestMs : Math.min(pace.longestMs, lastMs * 1.5);
}

/** Where a watched job stands, as far as it decides who is asked next. */
export interface PolledJob {
  /** The controller no longer knows it. */
  readonly isForgotten: boolean;
  /** Its own files say that it is over, or it was asked to end. */
  readonly isNearEnd: boolean;
}

/**
 * Whom to ask next. The database lags behind the controller and may be absent, so it is asked in turn with the
 * controller, and only about what that cannot tell: jobs that it has forgotten, or their ends while it is silent.
 */
export function pollTarget(
  jobs: readonly PolledJob[],
  { askedLast, isSilent }: { askedLast: 'controller' | 'accounting'; isSilent: boolean },
): 'controller' | 'accounting' {
  const isForTheDatabase = jobs.some(({ isForgotten, isNearEnd }) => isForgotten || (isSilent && isNearEnd));
  if (!isForTheDatabase) return 'controller';
  const onlyForgotten = jobs.every(({ isForgotten }) => isForgotten);
  return onlyForgotten || askedLast === 'controller' ? 'accounting' : 'controller';
}
