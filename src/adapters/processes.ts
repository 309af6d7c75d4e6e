import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Every process of a run carries its id here; nothing is ever found, or killed, by its name. */
export const runIdVariable = 'SUPEROFFLOAD_RUN_ID';

/** The process that leads a run's process group, named for ever by its start time. */
export interface Leader {
  readonly pid: number;
  readonly startTicks: string | null;
}

/** @returns the processes of this machine whose environment has this variable (Linux; none elsewhere). */
export function processesWith(variable: string, value: string): number[] {
  const marker = `${variable}=${value}`;
  return allPids().filter((pid) => hasVariable(environmentOf(pid), marker) && !isZombie(pid));
}

/**
 * Finds the processes of a run: whoever carries its id and, given its leader, whoever is in the leader's process
 * group or session. A child under `env -i` carries nothing, and one that called setsid has left the group. What is
 * older than the leader is not of the run: most of a machine's processes need no second look.
 */
export function processesOfRun(runId: string, leader: Leader | null = null): number[] {
  const marker = `${runIdVariable}=${runId}`;
  const group = leader !== null && isOurGroup(leader) ? leader.pid : null;
  const sinceTicks = Number(leader?.startTicks ?? 0);
  return allPids().filter((pid) => {
    const fields = statFields(pid);
    if (Number(fields[19]) < sinceTicks) return false;
    const environment = environmentOf(pid);
    const ours =
      hasVariable(environment, marker) ||
      (group !== null && isIn(group, fields) && !environment.includes(`${runIdVariable}=`));
    return ours && !isZombie(pid);
  });
}

/** The kernel gives a pid to a new process only when no group or session has it any more: then nothing is ours. */
function isOurGroup({ pid, startTicks: ticks }: Leader): boolean {
  const now = startTicks(pid);
  return now === null || now === ticks;
}

function isIn(group: number, fields: readonly string[]): boolean {
  // Fields 5 and 6 of proc(5): process group and session.
  const [, , processGroup, session] = fields;
  return Number(processGroup) === group || Number(session) === group;
}

function environmentOf(pid: number): string {
  return readOrEmpty(`/proc/${pid}/environ`);
}

function hasVariable(environment: string, marker: string): boolean {
  return environment.includes(marker) && environment.split('\0').includes(marker);
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

/** Fields of /proc/PID/stat from the third on: the name before it may hold spaces and parentheses (proc(5)). */
function statFields(pid: number): string[] {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

/** Clock ticks since boot at which a process started: with the pid it names one process for ever. */
export function startTicks(pid: number): string | null {
  return statFields(pid)[19] ?? null;
}

/**
 * Whether the very process of this pid and start time still runs. One that has ended but that nobody waited for is
 * gone too: where process 1 of a container reaps no orphans, it stays in /proc for ever.
 */
export function isRunning(pid: number, ticks: string | null): boolean {
  return ticks !== null && startTicks(pid) === ticks && !isZombie(pid);
}

function isZombie(pid: number): boolean {
  return statFields(pid)[0] === 'Z';
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

/** Signals everything that belongs to a run, now: the leader's group at one stroke, then whoever is outside of it. */
export function signalRun(leader: Leader | null, runId: string, signal: NodeJS.Signals): void {
  const found = processesOfRun(runId, leader);
  // Without /proc nobody can be looked up: the group is all that is known.
  const reach =
    !existsSync('/proc/self/stat') ||
    found.some((pid) => leader !== null && isIn(leader.pid, statFields(pid)));
  if (leader !== null && reach) signalProcess(-leader.pid, signal);
  for (const pid of found) signalProcess(pid, signal);
}

export interface StopOptions {
  /** How long SIGTERM may take before SIGKILL. DeepSpeed's launcher takes up to 30 s (deepspeed/launcher/launch.py). */
  readonly graceMs: number;
  /** When aborted: SIGKILL at once. */
  readonly force: AbortSignal;
}

/**
 * Stops every process of a run, and only those ({@link processesOfRun}).
 * SIGCONT follows SIGTERM, since a stopped process takes no other signal.
 * @returns the processes that were still there after SIGKILL (uninterruptible, normally none).
 */
export async function stopRunProcesses(
  leader: Leader | null,
  runId: string,
  options: StopOptions,
): Promise<number[]> {
  const kill = (): void => {
    signalRun(leader, runId, 'SIGKILL');
  };
  options.force.addEventListener('abort', kill);
  try {
    if (options.force.aborted) kill();
    // After an end in good order there is nobody.
    if (existsSync('/proc/self/stat') && processesOfRun(runId, leader).length === 0) return [];
    signalRun(leader, runId, 'SIGTERM');
    signalRun(leader, runId, 'SIGCONT');
    if (await gone(leader, runId, options.graceMs)) return [];
    kill();
    await gone(leader, runId, 5_000);
    return processesOfRun(runId, leader);
  } finally {
    options.force.removeEventListener('abort', kill);
  }
}

async function gone(leader: Leader | null, runId: string, withinMs: number): Promise<boolean> {
  const until = Date.now() + withinMs;
  for (let waitMs = 20; ; waitMs = Math.min(500, waitMs * 2)) {
    if (processesOfRun(runId, leader).length === 0) return true;
    if (Date.now() >= until) return false;
    await sleep(Math.min(waitMs, Math.max(1, until - Date.now())));
  }
}

/** What a file below /proc holds; '' where it is gone or not ours to read. One buffer for all: a scan reads hundreds. */
function readOrEmpty(path: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch {
    return '';
  }
  try {
    const bytes = readSync(descriptor, scratch, 0, scratch.length, 0);
    // A read that does not fill the buffer has met the end; only an environment can be longer.
    return bytes < scratch.length ? scratch.toString('latin1', 0, bytes) : readFileSync(path, 'latin1');
  } catch {
    return '';
  } finally {
    closeSync(descriptor);
  }
}

const scratch = Buffer.allocUnsafeSlow(64 * 1024);
