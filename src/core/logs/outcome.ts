/**
 * Says how a run ended, and by what proof. The order of the questions is the meaning of the classes:
 * who stopped it, whether it was the run that was planned, what failed first, whether it ended as it meant to,
 * and only then what is left. `ok` needs four things at once and never comes from one of them alone.
 */
import type { ExitEvidence, Outcome, OutcomeClass } from './events.ts';
import { wasSurvived } from './fold.ts';
import { cleanEnd, reachedOwnPlan } from './good-end.ts';
import { outcome } from './outcome-hints.ts';
import { exitSignal, provesHostOom, shmIsFull } from './exit-proof.ts';
import type { Evidence, LogState } from './state.ts';

/** What is known of the end when only a log is: nothing. */
export const noExitEvidence: ExitEvidence = {
  exitCode: null,
  signal: null,
  stoppedBy: null,
  oomKills: null,
  peakHostGiB: null,
  hostLimitGiB: null,
  shmFreeBytes: null,
  plannedIterations: null,
  plannedWorldSize: null,
  plannedAccelerator: null,
};

/** Classes that hold only for what happened before the first iteration; later the same line is a crash. */
const beforeFirstIteration: ReadonlySet<OutcomeClass> = new Set([
  'config_error',
  'install_error',
  'launch_error',
]);
/** What Slurm and the kernel say at the end about something that happened before. */
const retroactive: ReadonlySet<OutcomeClass> = new Set(['host_oom', 'time_limit', 'preempted', 'node_fail']);

export function classify(state: LogState, exit: ExitEvidence): Outcome {
  return (
    stoppedByPerson(exit) ??
    otherWorld(state, exit) ??
    otherAccelerator(state, exit) ??
    survivedEverything(state, exit) ??
    killedForMemory(state, exit) ??
    firstFailure(state, exit) ??
    stoppedByTool(state, exit) ??
    badNumbers(state) ??
    cleanEnd(state, exit) ??
    reachedOwnPlan(state, exit) ??
    whatIsLeft(state, exit)
  );
}

function stoppedByPerson({ stoppedBy }: ExitEvidence): Outcome | undefined {
  if (stoppedBy === 'interrupted') return outcome('interrupted', 'stopped by a signal to superoffload');
  return stoppedBy === 'cancelled' ? outcome('cancelled', 'stopped on request') : undefined;
}

/** The deepspeed launcher goes on with the local devices when a hostfile is missing. */
function otherWorld(state: LogState, { plannedWorldSize }: ExitEvidence): Outcome | undefined {
  const seen = state.facts['dist_world_size'] ?? state.facts['world size'];
  if (plannedWorldSize === null || seen === undefined || Number(seen) === plannedWorldSize) return undefined;
  return outcome('launch_error', `it ran on ${seen} rank(s), ${plannedWorldSize} were planned`);
}

/** DeepSpeed takes what it finds where nothing tells it: its numbers would stand under another machine's name. */
function otherAccelerator(state: LogState, { plannedAccelerator }: ExitEvidence): Outcome | undefined {
  const seen = state.facts['accelerator'];
  if (plannedAccelerator === null || seen === undefined || seen === plannedAccelerator) return undefined;
  return outcome('launch_error', `it ran on ${seen}, ${plannedAccelerator} was planned`);
}

/** What a run printed before it reached its end in good order, it got over. */
function survivedEverything(state: LogState, exit: ExitEvidence): Outcome | undefined {
  const end = cleanEnd(state, exit);
  if (end?.class !== 'ok' || badNumbers(state) !== undefined || state.finished === null) return undefined;
  const { lineNumber } = state.finished;
  return [...state.evidence.values()].every((each) => each.lineNumber < lineNumber) ? end : undefined;
}

function killedForMemory(state: LogState, exit: ExitEvidence): Outcome | undefined {
  const proof = provesHostOom(state, exit);
  if (proof !== undefined) return outcome('host_oom', proof, state.cascades.get('crash') ?? null);
  if (!shmIsFull(state, exit)) return undefined;
  return outcome('shm_full', 'a rank died of SIGBUS with /dev/shm full', state.cascades.get('crash') ?? null);
}

/**
 * Lines such as `No module named 'x'` are also printed by programs that go on without it. They name the cause only
 * where an exception was shown, where the process left by itself with an error, or where nothing but a log is known.
 */
function endedByItself(state: LogState, exit: ExitEvidence): boolean {
  if (state.traceback !== null) return true;
  const onlyLog = exit.exitCode === null && exit.signal === null && exit.stoppedBy === null;
  const left = exit.exitCode !== null && exit.exitCode !== 0 && exit.stoppedBy === null;
  return onlyLog || (left && exitSignal(state, exit) === null);
}

/** The earliest thing that a log line proves, except that a collective's timeout yields to any other failure. */
function firstFailure(state: LogState, exit: ExitEvidence): Outcome | undefined {
  const found = [...state.evidence.values()].filter(
    (each) =>
      each.outcome !== 'killed_unknown' &&
      !wasSurvived(state, each) &&
      (!beforeFirstIteration.has(each.outcome) || endedByItself(state, exit)),
  );
  const dead = found.find((each) => each.outcome === 'worker_dead');
  if (dead !== undefined) return workerDead(state, dead);
  const said = found.find((each) => retroactive.has(each.outcome));
  const earliest = found.filter((each) => each.outcome !== 'nccl_timeout').sort(byLine)[0];
  const timeout = found.find((each) => each.outcome === 'nccl_timeout');
  const cause = earliest?.outcome === 'crash' ? (said ?? earliest) : earliest;
  if (timeout !== undefined) return ncclTimeout(state, timeout, cause);
  return cause === undefined ? undefined : proven(state, cause);
}

function byLine(a: Evidence, b: Evidence): number {
  return a.lineNumber - b.lineNumber;
}

function proven(state: LogState, cause: Evidence): Outcome {
  if (beforeFirstIteration.has(cause.outcome) && cause.afterIterations > 0) {
    return outcome('crash', `failed after iteration ${state.lastIteration ?? 0}`, cause);
  }
  if (cause.outcome === 'crash') return crash(state, cause);
  return outcome(cause.outcome, reasons[cause.outcome] ?? 'the log says so', cause);
}

const reasons: Partial<Record<OutcomeClass, string>> = {
  gpu_oom: 'a rank could not allocate GPU memory',
  host_oom: 'host memory ran out',
  shm_full: 'shared memory ran out',
  loss_scale_floor: 'the loss scale reached its minimum and gradients still overflow',
  time_limit: 'the scheduler stopped it at its time limit',
  preempted: 'the scheduler preempted or requeued it',
  node_fail: 'the scheduler lost a node',
  config_error: 'refused before the first iteration',
  install_error: 'something it needs is not installed or cannot be built',
  launch_error: 'the ranks could not be started or could not meet',
};

function crash(state: LogState, line: Evidence): Outcome {
  const exception = state.traceback;
  const first =
    exception !== null && !exception.cascade && exception.lineNumber < line.lineNumber ? exception : line;
  const when =
    line.afterIterations > 0
      ? `after iteration ${state.lastIteration ?? 0}`
      : 'before the first iteration line';
  return outcome('crash', `a process died ${when}`, first);
}

/** The worker's own first error is the earlier one: an exception, or evidence of another class. */
function workerDead(state: LogState, dead: Evidence): Outcome {
  const own = [...state.evidence.values(), ...(state.traceback === null ? [] : [state.traceback])]
    .filter((each) => each.lineNumber < dead.lineNumber)
    .sort((a, b) => a.lineNumber - b.lineNumber)[0];
  const reason = "SuperOffload's CPU optimizer process is gone";
  return own === undefined
    ? outcome('worker_dead', `${reason}; it left no error of its own`, dead)
    : outcome('worker_dead', `${reason} (${dead.line})`, own);
}

function ncclTimeout(state: LogState, timeout: Evidence, cause: Evidence | undefined): Outcome {
  const exception = state.traceback;
  const earlier =
    cause !== undefined && (cause.lineNumber < timeout.lineNumber || retroactive.has(cause.outcome));
  if (earlier) return proven(state, cause);
  const other = exception !== null && !exception.cascade && exception.rank !== timeout.rank;
  if (other && exception.lineNumber < timeout.lineNumber) {
    return outcome(
      'crash',
      'another rank failed first; the timeout of the others follows from it',
      exception,
    );
  }
  return outcome('nccl_timeout', 'a collective did not finish in time, and no rank failed before', timeout);
}

function stoppedByTool(state: LogState, { stoppedBy }: ExitEvidence): Outcome | undefined {
  const when =
    state.lastIteration === null
      ? 'before the first iteration line'
      : `after iteration ${state.lastIteration}`;
  if (stoppedBy === 'hang')
    return outcome('hang', `no new iteration ${when} for far longer than a step takes`);
  if (stoppedBy === 'timeout') return outcome('time_limit', `stopped by this tool's own --timeout ${when}`);
  return undefined;
}

function badNumbers(state: LogState): Outcome | undefined {
  if (state.firstNonFiniteIteration !== null) {
    return outcome('nan_or_inf', `the loss is not finite from iteration ${state.firstNonFiniteIteration} on`);
  }
  if (state.stepsAtLossScaleFloor < 3) return undefined;
  return outcome(
    'loss_scale_floor',
    `the last ${state.stepsAtLossScaleFloor} steps were skipped at loss scale 1`,
  );
}

function whatIsLeft(state: LogState, exit: ExitEvidence): Outcome {
  const at =
    state.lastIteration === null
      ? 'before the first iteration line'
      : `after iteration ${state.lastIteration}`;
  const killed = state.evidence.get('killed_unknown');
  const signal = exitSignal(state, exit);
  if (signal === 'SIGKILL' || killed !== undefined) {
    return outcome('killed_unknown', `killed ${at}; nothing says by whom`, killed ?? null);
  }
  const exception = state.traceback;
  if (exception !== null && !exception.cascade) {
    return outcome('crash', `an exception ended it ${at}`, exception);
  }
  if (signal !== null) return outcome('crash', `a process died of ${signal} ${at}`, lastLine(state));
  if (exception !== null) return outcome('crash', `a rank lost another one ${at}`, exception);
  const cancelled = state.cascades.get('cancelled');
  if (cancelled !== undefined) return outcome('cancelled', 'the scheduler says it was cancelled', cancelled);
  const code = exit.exitCode ?? state.launcherExitCode;
  if (code !== null && code !== 0) return outcome('crash', `exit status ${code} ${at}`, lastLine(state));
  if (code === 0) {
    // The deepspeed launcher leaves with 0 when its own child, launch.py, is killed.
    const name = exit.plannedIterations === null ? 'incomplete' : 'killed_unknown';
    return outcome(name, `exit status 0, but it never said that it finished (${at})`);
  }
  return outcome('incomplete', `the log ends ${at} without an end line`, lastLine(state));
}

function lastLine(state: LogState): { line: string; rank: null } | null {
  const line = state.tail.findLast((each) => each.trim() !== '');
  return line === undefined ? null : { line: line.trim(), rank: null };
}
