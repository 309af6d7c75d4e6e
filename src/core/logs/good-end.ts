/** Whether a run ended as it meant to. */
import type { ExitEvidence, Outcome } from './events.ts';
import { outcome } from './outcome-hints.ts';
import type { LogState } from './state.ts';

/** By its own end line or its launcher's, against the plan where one is known. */
export function cleanEnd(state: LogState, exit: ExitEvidence): Outcome | undefined {
  if (!hasEndLine(state) || state.lastIteration === null) return undefined;
  if (state.launcherExitCode !== null || (exit.exitCode ?? 0) !== 0 || exit.signal !== null) return undefined;
  // A run of ours says every step; with all of them skipped it measured no optimizer and trained nothing.
  if (exit.plannedIterations !== null && state.skippedIterations >= state.iterationCount) {
    return outcome('nan_or_inf', `all ${state.iterationCount} steps were skipped for overflow`);
  }
  const ended = `ended as it meant to after iteration ${state.lastIteration}`;
  if (exit.stoppedBy === 'converged') return outcome('ok', `${ended}, when the measurement was stable`);
  const { plannedIterations } = exit;
  if (exit.stoppedBy === 'abandoned' && state.lastIteration !== plannedIterations)
    return outcome('ok', `${ended}, when it could not be the fastest of its tuning any more`);
  if (plannedIterations === null) return outcome('ok', `${ended}, by its own end line (${exitText(exit)})`);
  if (state.lastIteration >= plannedIterations) return outcome('ok', ended);
  return outcome('crash', `${ended}, but ${plannedIterations} iterations were planned`);
}

function exitText({ exitCode }: ExitEvidence): string {
  return exitCode === null ? 'no exit status known' : `exit status ${exitCode}`;
}

/** A command that is not this tool's says nothing at its end; its own count and exit status do. */
export function reachedOwnPlan(state: LogState, exit: ExitEvidence): Outcome | undefined {
  const { lastIteration, plannedIterations, traceback } = state;
  if (exit.plannedIterations !== null || exit.exitCode !== 0 || state.launcherExitCode !== null)
    return undefined;
  if (lastIteration === null || plannedIterations === null || lastIteration < plannedIterations)
    return undefined;
  const failedAfter = traceback !== null && traceback.afterIterations === state.iterationCount;
  if (failedAfter || state.evidence.has('killed_unknown')) return undefined;
  return outcome(
    'ok',
    `it exited with 0 after iteration ${lastIteration}, the last one that its own log planned`,
  );
}

function hasEndLine(state: LogState): boolean {
  return state.finished !== null || (state.cleanExits > 0 && state.launcherExitCode === null);
}
