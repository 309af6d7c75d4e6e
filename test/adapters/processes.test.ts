import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import {
  isRunning,
  type Leader,
  processesOfRun,
  runIdVariable,
  signalProcess,
  startTicks,
  stopRunProcesses,
} from '../../src/adapters/processes.ts';

const started: ChildProcess[] = [];
let counter = 0;
afterEach(() => {
  for (const child of started.splice(0)) signalProcess(-(child.pid ?? 0), 'SIGKILL');
});

/** A process group of its own, marked as a run. */
function startRun(script: string): { runId: string; pid: number; leader: Leader; child: ChildProcess } {
  const runId = `test-${process.pid}-${(counter += 1)}`;
  const child = spawn('sh', ['-c', script], {
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, [runIdVariable]: runId },
  });
  started.push(child);
  const pid = child.pid!;
  return { runId, pid, leader: { pid, startTicks: startTicks(pid) }, child };
}

async function settled(runId: string, count: number): Promise<void> {
  for (let waits = 0; waits < 200 && processesOfRun(runId).length !== count; waits += 1) await sleep(10);
  expect(processesOfRun(runId)).toHaveLength(count);
}

const never = new AbortController().signal;

describe('processesOfRun', () => {
  it('finds exactly the processes with this id: in the group and outside, and no other run with a longer id', async () => {
    const a = startRun('setsid sleep 60 & sleep 60');
    await settled(a.runId, 3);
    spawnSync('true', { env: { ...process.env, [runIdVariable]: a.runId } });
    expect(processesOfRun(a.runId.slice(0, -1))).toEqual([]);
    expect(processesOfRun(`${a.runId}0`)).toEqual([]);
    expect(await stopRunProcesses(a.leader, a.runId, { graceMs: 2_000, force: never })).toEqual([]);
    expect(processesOfRun(a.runId)).toEqual([]);
  });
});

describe('stopRunProcesses', () => {
  it('reaches stopped processes, and leaves another run alone', async () => {
    const a = startRun('sleep 60');
    const b = startRun('sleep 60');
    process.kill(-a.pid, 'SIGSTOP');
    expect(await stopRunProcesses(a.leader, a.runId, { graceMs: 2_000, force: never })).toEqual([]);
    expect(processesOfRun(b.runId).length).toBeGreaterThan(0);
  });

  it('kills after the grace what ignores SIGTERM', async () => {
    const { runId, leader } = startRun("trap '' TERM; sleep 60");
    await settled(runId, 2);
    const before = Date.now();
    expect(await stopRunProcesses(leader, runId, { graceMs: 300, force: never })).toEqual([]);
    expect(Date.now() - before).toBeGreaterThanOrEqual(300);
    expect(Date.now() - before).toBeLessThan(2_000);
  });

  it('kills in the abort event itself', async () => {
    const { runId, leader, child } = startRun("trap '' TERM; sleep 60");
    await settled(runId, 2);
    const force = new AbortController();
    const stopping = stopRunProcesses(leader, runId, { graceMs: 60_000, force: force.signal });
    const exited = new Promise((resolve) => child.on('exit', (_, signal) => { resolve(signal); })); // prettier-ignore
    force.abort();
    expect(await exited).toBe('SIGKILL');
    expect(await stopping).toEqual([]);
  });

  it('finds a child without the variable by the group, also when its leader is gone, and kills it', async () => {
    const { runId, leader, child } = startRun('env -i sh -c "trap \'\' TERM; sleep 60; sleep 1" & sleep 0.2');
    await new Promise((resolve) => child.on('exit', resolve));
    expect(processesOfRun(runId)).toEqual([]);
    expect(processesOfRun(runId, leader).length).toBeGreaterThan(0);
    expect(await stopRunProcesses(leader, runId, { graceMs: 200, force: never })).toEqual([]);
    expect(processesOfRun(runId, leader)).toEqual([]);
  });

  it('never takes the group of another run, or of a process that got the pid', async () => {
    const other = startRun('exec env -i sleep 60');
    await settled(other.runId, 0);
    expect(processesOfRun('never-was', { ...other.leader, startTicks: '1' })).toEqual([]);
    const marked = startRun('exec sleep 60');
    await settled(marked.runId, 1);
    expect(processesOfRun('never-was', marked.leader)).toEqual([]);
  });

  it('kills at once where the second signal has come already', async () => {
    const { runId, leader } = startRun("trap '' TERM; sleep 60");
    await settled(runId, 2);
    const force = AbortSignal.abort();
    const before = Date.now();
    expect(await stopRunProcesses(leader, runId, { graceMs: 60_000, force })).toEqual([]);
    expect(Date.now() - before).toBeLessThan(2_000);
  });

  it('has nothing to do for a run that is gone', async () => {
    expect(await stopRunProcesses(null, 'never-was', { graceMs: 10, force: never })).toEqual([]);
  });
});

describe('isRunning', () => {
  it('tells a process from another that got its pid, and from a zombie', async () => {
    const ticks = startTicks(process.pid);
    expect(ticks).toMatch(/^\d+$/);
    expect(isRunning(process.pid, ticks)).toBe(true);
    expect(isRunning(process.pid, '1')).toBe(false);
    expect(isRunning(process.pid, null)).toBe(false);
    expect(startTicks(2 ** 22)).toBeNull();
    expect(isRunning(2 ** 22, null)).toBe(false);
    // A child that its parent never waits for; the parent stays, and with it the zombie.
    const parent = spawn('sh', ['-c', 'sleep 0.05 & echo $!; exec sleep 60'], { detached: true });
    started.push(parent);
    const zombie = Number(await new Promise((resolve) => parent.stdout.once('data', resolve)));
    const zombieTicks = startTicks(zombie);
    expect(isRunning(zombie, zombieTicks)).toBe(true);
    await sleep(300);
    expect(startTicks(zombie)).toBe(zombieTicks);
    expect(isRunning(zombie, zombieTicks)).toBe(false);
  });
});
