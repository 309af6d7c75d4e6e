import { spawn, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { freePortProgram, parseFreePort } from '../../../src/core/launch/host-port.ts';
import { parseSweep, sweepProgram, type Sweep, type SweepRequest } from '../../../src/core/launch/sweep.ts';

function sweep(request: Pick<SweepRequest, 'runId' | 'graceSeconds'> & Partial<SweepRequest>): Sweep {
  const input = sweepProgram({ port: null, gpus: 0, ...request });
  const { stdout, stderr } = spawnSync('/bin/sh', { input, encoding: 'utf8' });
  expect(stderr).toBe('');
  return parseSweep(stdout)!;
}

/** Starts a shell of a run and waits until it says that all of it is there. */
async function start(runId: string, script: string): Promise<void> {
  const env = { PATH: process.env['PATH'], SUPEROFFLOAD_RUN_ID: runId };
  const child = spawn('/bin/sh', ['-c', `${script} echo up; wait`], { env, detached: true });
  await new Promise((resolve) => child.stdout.once('data', resolve));
}

const state = (pid: number): string => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0] ?? '';
  } catch {
    return '';
  }
};

describe('sweepProgram', () => {
  it('finds whoever carries the id, and whoever lost it in the same session, and nobody else', async () => {
    const [runId, other] = [randomUUID(), randomUUID()];
    await start(runId, 'sleep 60 & env -i sleep 60 & setsid sleep 60 &');
    await start(`${runId}0`, 'sleep 60 &');
    await start(other, 'sleep 60 &');
    await sleep(100);
    const { pids } = sweep({ runId, graceSeconds: null });
    expect(pids).toHaveLength(4);
    expect(sweep({ runId, graceSeconds: 5 }).pids).toEqual([]);
    expect(pids.map(state).filter((each) => each !== '' && each !== 'Z')).toEqual([]);
    expect(sweep({ runId: other, graceSeconds: null }).pids).toHaveLength(2);
    for (const id of [`${runId}0`, other]) expect(sweep({ runId: id, graceSeconds: 0 }).pids).toEqual([]);
  });

  it('kills what does not heed SIGTERM, and what is stopped', async () => {
    const runId = randomUUID();
    await start(runId, 'trap "" TERM; sleep 60 & sh -c "kill -STOP \\$\\$" &');
    const beganMs = Date.now();
    expect(sweep({ runId, graceSeconds: 1 }).pids).toEqual([]);
    expect(Date.now() - beganMs).toBeGreaterThan(900);
  });

  it('says whether anybody still listens at the run’s port', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const request = { runId: randomUUID(), graceSeconds: null, port };
    expect(sweep(request).portTaken).toBe(true);
    await new Promise((resolve) => server.close(resolve));
    expect(sweep(request).portTaken).toBe(false);
  });

  it('says who computes on the GPUs that the run had, and not on others', () => {
    const bin = mkdtempSync(join(tmpdir(), 'sweep-'));
    const gpus = 'echo "0, GPU-a"; echo "1, GPU-b"; echo "2, GPU-c"';
    const script = `case $1 in *gpu=*) ${gpus} ;; *) echo "GPU-b, 41"; echo "GPU-c, 42" ;; esac`;
    writeFileSync(join(bin, 'nvidia-smi'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const input = sweepProgram({ runId: randomUUID(), graceSeconds: null, port: null, gpus: 2 });
    const env = { ...process.env, PATH: `${bin}:${process.env['PATH'] ?? ''}` };
    const { stdout } = spawnSync('/bin/sh', { input, encoding: 'utf8', env });
    expect(parseSweep(stdout)).toEqual({ pids: [], portTaken: false, gpuPids: [41] });
    rmSync(bin, { recursive: true });
  });

  it('an answer that was cut is none', () => {
    expect(parseSweep('superoffload:left=4\n')).toBeNull();
  });
});

it('freePortProgram passes over ports that are in use', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const answer = (candidates: number[]): number | null =>
    parseFreePort(spawnSync('/bin/sh', { input: freePortProgram(candidates), encoding: 'utf8' }).stdout);
  expect(answer([port, 23_456])).toBe(23_456);
  expect(answer([port])).toBeNull();
  server.close();
});
