/** What failed first, by the lines of the log alone. */
import type { ExitEvidence, Outcome, OutcomeClass } from './events.ts';
import { exitSignal } from './exit-proof.ts';
import { wasSurvived } from './fold.ts';
import { outcome } from './outcome-hints.ts';
import type { Evidence, LogState } from './state.ts';

/** Classes that hold only for what happened before the first iteration; later the same line is a crash. */
const beforeFirstIteration: ReadonlySet<OutcomeClass> = new Set([
  'config_error',
  'install_error',
  'launch_error',
]);
/** What Slurm and the kernel say at the end about something that happened before. */
const retroactive: ReadonlySet<OutcomeClass> = new Set(['host_oom', 'time_limit', 'preempted', 'node_fail']);

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
export function firstFailure(state: LogState, exit: ExitEvidence): Outcome | undefined {
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
  if (cause.outcome === 'config_error' && ofOverlap.test(cause.line)) {
    return outcome('config_error', 'the overlap optimizer refuses its configuration', cause, overlapHint);
  }
  return outcome(cause.outcome, reasons[cause.outcome] ?? 'the log says so', cause);
}

/** refusals.py and settings.py of the overlay: none of it is about batches. */
const ofOverlap = /^ValueError: superoffload/;
const overlapHint =
  'take out what the message names, or use another --mode: docs/performance.md says what works with prism_overlap';

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
  launch_error: 'the program or its ranks could not be started, or could not meet',
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

/** Says that the thread of the overlap optimizer did it, not SuperOffload's process (overlap/stepper.py). */
const ofThread = /superoffload: the (?:CPU optimizer|thread)/;
const threadHint =
  'what the thread died of is in the message, and above it in the log; if it stands still on a busy machine, ' +
  'raise --ds superoffload.stall_seconds, and if it happens again, report it with the log';

/** The worker's own first error is the earlier one: an exception, or evidence of another class. */
function workerDead(state: LogState, dead: Evidence): Outcome {
  const memory = ofThread.test(dead.line) ? ofMemory(state, dead) : undefined;
  if (memory !== undefined) return proven(state, memory);
  if (ofThread.test(dead.line)) {
    const reason = dead.line.includes('has done nothing')
      ? "the overlap optimizer's thread stood still"
      : "the overlap optimizer's thread failed";
    return outcome('worker_dead', reason, dead, threadHint);
  }
  const own = [...state.evidence.values(), ...(state.traceback === null ? [] : [state.traceback])]
    .filter((each) => each.lineNumber < dead.lineNumber)
    .sort((a, b) => a.lineNumber - b.lineNumber)[0];
  const reason = "SuperOffload's CPU optimizer process is gone";
  return own === undefined
    ? outcome('worker_dead', `${reason}; it left no error of its own`, dead)
    : outcome('worker_dead', `${reason} (${dead.line})`, own);
}

/** A thread that could not have its memory is no fault of the thread. */
function ofMemory({ evidence }: LogState, dead: Evidence): Evidence | undefined {
  return [...evidence.values()]
    .filter((each) => each.outcome === 'host_oom' || each.outcome === 'gpu_oom')
    .filter((each) => each.lineNumber < dead.lineNumber)
    .sort(byLine)[0];
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
