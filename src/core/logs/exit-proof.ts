/** What exit status, kernel counters and memory peaks prove, and what they do not. */
import type { ExitEvidence } from './events.ts';
import type { LogState } from './state.ts';

const signalNames: Readonly<Record<number, string>> = {
  6: 'SIGABRT',
  7: 'SIGBUS',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
};

/** Share of the limit from which a peak counts as memory evidence: the last sample comes before the kill. */
const nearLimit = 0.95;
/** A page that does not fit is enough for SIGBUS; ranks that already left give back less than this. */
const shmFullBytes = 64 * 2 ** 20;

/**
 * The signal that ended a rank: the process's own; the launcher's -N; 256-N, the status with which `deepspeed`
 * itself leaves then (launcher/launch.py); or a shell's 128+N.
 */
export function exitSignal(state: LogState, exit: ExitEvidence): string | null {
  if (exit.signal !== null) return exit.signal;
  for (const code of [state.launcherExitCode, exit.exitCode]) {
    if (code === null) continue;
    const number = code < 0 ? -code : code > 240 ? 256 - code : code - 128;
    const name = signalNames[number];
    if (name !== undefined) return name;
  }
  return null;
}

/**
 * @returns why host memory is the cause, or undefined. SIGKILL alone proves nothing, and neither does a counter that
 * rose while the run died of something else (it may have counted another program): it takes SIGKILL and one of a
 * kernel counter that rose or a peak at the limit.
 */
export function provesHostOom(state: LogState, exit: ExitEvidence): string | undefined {
  const { oomKills, peakHostGiB, hostLimitGiB } = exit;
  if (exit.exitCode === 0 && state.launcherExitCode === null) return undefined;
  if (exitSignal(state, exit) !== 'SIGKILL' && !state.evidence.has('killed_unknown')) return undefined;
  if (oomKills !== null && oomKills > 0)
    return `killed, and the kernel's count of OOM kills rose by ${oomKills}`;
  if (peakHostGiB === null || hostLimitGiB === null) return undefined;
  if (peakHostGiB < nearLimit * hostLimitGiB) return undefined;
  return `killed with host memory at ${peakHostGiB.toFixed(1)} of ${hostLimitGiB.toFixed(1)} GiB`;
}

export function shmIsFull(state: LogState, exit: ExitEvidence): boolean {
  const { shmFreeBytes } = exit;
  return exitSignal(state, exit) === 'SIGBUS' && shmFreeBytes !== null && shmFreeBytes < shmFullBytes;
}
