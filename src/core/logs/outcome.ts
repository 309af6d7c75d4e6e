/**
 * Says how a run ended, and by what proof. The order of the questions is the meaning of the classes:
 * who stopped it, whether it was the run that was planned, what failed first, whether it ended as it meant to,
 * and only then what is left. `ok` needs four things at once and never comes from one of them alone.
 */
import type { ExitEvidence, Outcome } from './events.ts';
import { firstFailure } from './first-failure.ts';
import { cleanEnd, reachedOwnPlan } from './good-end.ts';
import { outcome } from './outcome-hints.ts';
import { exitSignal, provesHostOom, shmIsFull } from './exit-proof.ts';
import type { LogState } from './state.ts';

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

export function classify(state: LogState, exit: ExitEvidence): Outcome {
  return (
    stoppedByPerson(exit) ??
    otherWorld(state, exit) ??
    otherAccelerator(state, exit) ??
    survivedEverything(state, exit) ??
    schedulerSays(exit) ??
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

/** @returns the ranks that a log speaks of, null where it does not (yet). */
export function worldSizeOf({ facts }: Pick<LogState, 'facts'>): number | null {
  const seen = facts['dist_world_size'] ?? facts['world size'];
  return seen === undefined ? null : Number(seen);
}

/** The deepspeed launcher goes on with the local devices when a hostfile is missing. */
function otherWorld(state: LogState, { plannedWorldSize }: ExitEvidence): Outcome | undefined {
  const seen = worldSizeOf(state);
  if (plannedWorldSize === null || seen === null || seen === plannedWorldSize) return undefined;
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

/** It saw all nodes, and the ranks only their own deaths. */
function schedulerSays({ scheduler }: ExitEvidence): Outcome | undefined {
  return scheduler === null || scheduler === undefined
    ? undefined
    : outcome(scheduler.class, scheduler.reason, null, scheduler.hint);
}

function killedForMemory(state: LogState, exit: ExitEvidence): Outcome | undefined {
  const proof = provesHostOom(state, exit);
  if (proof !== undefined) return outcome('host_oom', proof, state.cascades.get('crash') ?? null);
  if (!shmIsFull(state, exit)) return undefined;
  return outcome('shm_full', 'a rank died of SIGBUS with /dev/shm full', state.cascades.get('crash') ?? null);
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
  const code = exit.exitCode ?? state.launcherExitCode;
  // What was ended because another failed says so too, srun and the shell: the first has a status of its own.
  const isOwn = exit.failedFirst === true && code !== null && code > 0 && code <= 128;
  const kill = state.evidence.get('killed_unknown');
  const killed = isOwn && kill !== undefined && /Killed/.test(kill.line) ? undefined : kill;
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
  if (cancelled !== undefined && !isOwn)
    return outcome('cancelled', 'the scheduler says it was cancelled', cancelled);
  if (code !== null && code !== 0) return outcome('crash', `exit status ${code} ${at}`, lastLine(state));
  if (code === 0) {
    // The deepspeed launcher leaves with 0 when its own child, launch.py, is killed.
    const name = exit.plannedIterations === null ? 'incomplete' : 'killed_unknown';
    return outcome(name, `exit status 0, but it never said that it finished (${at})`);
  }
  return outcome('incomplete', `the log ends ${at} without an end line`, lastLine(state));
}

/** What Slurm says of an end that others caused. */
const ofSlurm = /^\s*(?:srun|slurmstepd)\b/;

function lastLine(state: LogState): { line: string; rank: null } | null {
  const said = state.tail.filter((each) => each.trim() !== '');
  const line = said.findLast((each) => !ofSlurm.test(each)) ?? said.at(-1);
  return line === undefined ? null : { line: line.trim(), rank: null };
}
