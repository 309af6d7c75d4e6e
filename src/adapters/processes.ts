import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Every process of a run carries its id here; nothing is ever found, or killed, by its name. */
export const runIdVariable = 'SUPEROFFLOAD_RUN_ID';

/** @returns the processes of this machine whose environment carries the run's id (Linux; none elsewhere). */
export function processesOfRun(runId: string): number[] {
  const marker = `${runIdVariable}=${runId}`;
  return allPids().filter((pid) => {
    const environment = readOrEmpty(`/proc/${pid}/environ`);
    return environment.includes(marker) && environment.split('\0').includes(marker) && !isZombie(pid);
  });
}

function allPids(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => pid !== process.pid);
  } catch {
    return [];
  }
}

/** Clock ticks since boot at which a process started: with the pid it names one process for ever. */
export function startTicks(pid: number): string | null {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  // The name in parentheses may hold spaces and parentheses itself; field 22 is the 20th after it (proc(5)).
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

/**
 * Whether the very process of this pid and start time still runs. One that has ended but that nobody waited for is
 * gone too: where process 1 of a container reaps no orphans, it stays in /proc for ever.
 */
export function isRunning(pid: number, ticks: string | null): boolean {
  return ticks !== null && startTicks(pid) === ticks && !isZombie(pid);
}

function isZombie(pid: number): boolean {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}

/** Sends a signal to a process (or, negative, to a group); one that is gone is no error. */
export function signalProcess(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch {
    return false;
  }
}

export interface StopOptions {
  /** How long SIGTERM may take before SIGKILL. DeepSpeed's launcher takes up to 30 s (engines.md). */
  readonly graceMs: number;
  /** When aborted: SIGKILL at once. */
  readonly force: AbortSignal;
}

/**
 * Stops every process of a run, and only those: the process group, and whoever left it but carries the run's id.
 * SIGCONT follows SIGTERM, since a stopped process takes no other signal.
 * @returns the processes that were still there after SIGKILL (uninterruptible, normally none).
 */
export async function stopRunProcesses(
  leader: number | null,
  runId: string,
  options: StopOptions,
): Promise<number[]> {
  const send = (signal: NodeJS.Signals): void => {
    if (leader !== null) signalProcess(-leader, signal);
    for (const pid of processesOfRun(runId)) signalProcess(pid, signal);
  };
  const kill = (): void => {
    send('SIGKILL');
  };
  options.force.addEventListener('abort', kill);
  try {
    send('SIGTERM');
    send('SIGCONT');
    if (await gone(runId, options.graceMs)) return [];
    kill();
    await gone(runId, 5_000);
    return processesOfRun(runId);
  } finally {
    options.force.removeEventListener('abort', kill);
  }
}

async function gone(runId: string, withinMs: number): Promise<boolean> {
  const until = Date.now() + withinMs;
  for (let waitMs = 20; ; waitMs = Math.min(500, waitMs * 2)) {
    if (processesOfRun(runId).length === 0) return true;
    if (Date.now() >= until) return false;
    await sleep(Math.min(waitMs, Math.max(1, until - Date.now())));
  }
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
