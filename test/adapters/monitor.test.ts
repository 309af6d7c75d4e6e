import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { devicesOfRun, GpuMonitor } from '../../src/adapters/monitor/gpu.ts';
import { HostMemoryMonitor } from '../../src/adapters/monitor/host-memory.ts';
import { oomKillsBetween, readOomCounters } from '../../src/adapters/monitor/oom-kills.ts';
import { runIdVariable } from '../../src/adapters/processes.ts';
import { peakForLimit } from '../../src/workflows/runs/run-monitor.ts';

let child: ChildProcess | undefined;
afterEach(() => {
  vi.useRealTimers();
  child?.kill('SIGKILL');
});

describe('HostMemoryMonitor', () => {
  it('sums the memory of exactly the processes of the run', async () => {
    const runId = `monitor-${process.pid}`;
    const hold =
      'const held = Buffer.alloc(200 * 2 ** 20, 1); console.log(held.length); setInterval(() => {}, 1e6)';
    child = spawn(process.execPath, ['-e', hold], { env: { ...process.env, [runIdVariable]: runId } });
    await new Promise((resolve) => child?.stdout?.once('data', resolve));
    const monitor = new HostMemoryMonitor(runId, true);
    await monitor.start();
    await sleep(500);
    const peaks = await monitor.stop();
    expect(peaks.runGiB! * 1024).toBeGreaterThan(200);
    expect(peaks.runGiB! * 1024).toBeLessThan(300);
    expect(peaks.machineTotalGiB!).toBeGreaterThan(peaks.runGiB!);
    expect(peaks.machineGiB!).toBeGreaterThanOrEqual(0);
  });

  it('claims nothing of a run that it need not measure, or never saw', async () => {
    for (const measured of [true, false]) {
      const monitor = new HostMemoryMonitor('never-was', measured);
      await monitor.start();
      await sleep(300);
      expect((await monitor.stop()).runGiB).toBeNull();
    }
  });
});

describe('oomKillsBetween', () => {
  const at = (cgroup: number | null, machine: number | null) => ({ cgroup, machine });
  it.each([
    [at(1, 5), at(3, 9), 2],
    [at(1, 5), at(1, 5), 0],
    [at(1, 5), at(1, 6), 0],
    [at(null, 5), at(null, 6), 1],
    [at(2, null), at(2, null), 0],
    [at(2, 5), at(null, 9), 4],
    [at(null, null), at(null, null), null],
  ])('%j to %j: %s', (before, after, kills) => {
    expect(oomKillsBetween(before, after)).toBe(kills);
  });

  it('reads counters of this machine that do not fall', async () => {
    const [before, after] = [await readOomCounters(), await readOomCounters()];
    expect(oomKillsBetween(before, after) ?? 0).toBeGreaterThanOrEqual(0);
  });
});

describe('GpuMonitor', () => {
  /** Samples `answers`, a line each; nvidia-smi is a script that notes how it was asked. */
  async function sampled(
    answers: readonly string[],
    { visible, chips = 1 }: { visible?: string; chips?: number } = {},
  ) {
    const folder = mkdtempSync(join(tmpdir(), 'nvidia-smi-'));
    const script = `#!/bin/sh\necho "$*" >> ${folder}/asked\nsed -n "$(wc -l < ${folder}/asked) p" ${folder}/answers | tr ';' '\\n'\n`;
    writeFileSync(join(folder, 'nvidia-smi'), script);
    writeFileSync(join(folder, 'answers'), answers.join('\n'));
    chmodSync(join(folder, 'nvidia-smi'), 0o755);
    const env = {
      PATH: `${folder}:${process.env['PATH'] ?? ''}`,
      ...(visible === undefined ? {} : { CUDA_VISIBLE_DEVICES: visible }),
    };
    const monitor = new GpuMonitor(env, chips, { firstMs: 5, intervalMs: 5 });
    const asked = (): string[] =>
      existsSync(join(folder, 'asked')) ? readFileSync(join(folder, 'asked'), 'utf8').trim().split('\n') : [];
    monitor.start();
    for (let waits = 0; waits < 300 && asked().length <= answers.length; waits += 1) await sleep(5);
    const conditions = await monitor.stop();
    const result = { conditions, usedGiB: monitor.usedGiB, asked: asked()[0] };
    rmSync(folder, { recursive: true });
    return result;
  }

  it('takes clocks and throttling from samples under load only', async () => {
    const { conditions } = await sampled([
      '345, 1980, 700.00, 40, 0x0000000000000001, 0, 100',
      '1755, 1980, 700.00, 61, 0x0000000000000004, 98, 100',
      '1980, 1980, 700.00, 65, 0x0000000000000000, 99, 100',
      '1900, 1980, 700.00, [N/A], 0x0000000000000000, 99, 100',
    ]);
    expect(conditions).toEqual({
      smClockMhz: 1900,
      maxSmClockMhz: 1980,
      powerCapWatt: 700,
      maxTemperatureC: 65,
      throttleReasons: ['software power cap'],
      samples: 4,
    });
  });

  it('asks for the devices of the run only', async () => {
    const line = '1, 1, 1, 1, 0x0, 9, ';
    expect((await sampled([line], { chips: 2 })).asked).toMatch(/^-i 0,1 --query-gpu=/);
    expect((await sampled([`${line}3072;${line}1024`], { visible: '5,3,2', chips: 2 })).asked).toMatch(
      /^-i 5,3 /,
    );
  });

  it('has nothing to say where nvidia-smi has not', async () => {
    expect((await sampled(['NVIDIA-SMI has failed'])).conditions).toBeNull();
  });

  it('tells the memory of the fullest device at the newest sample', async () => {
    const line = '1, 1, 1, 1, 0x0, 9, ';
    const folder = mkdtempSync(join(tmpdir(), 'nvidia-smi-'));
    writeFileSync(join(folder, 'nvidia-smi'), `#!/bin/sh\nprintf '${line}2048\\n${line}10240\\n'\n`);
    chmodSync(join(folder, 'nvidia-smi'), 0o755);
    const monitor = new GpuMonitor({ PATH: `${folder}:${process.env['PATH'] ?? ''}` }, 2, {
      firstMs: 5,
      intervalMs: 5,
    });
    expect(monitor.usedGiB).toBeNull();
    monitor.start();
    for (let waits = 0; waits < 300 && monitor.usedGiB === null; waits += 1) await sleep(5);
    expect(monitor.usedGiB).toBe(10);
    await monitor.stop();
    rmSync(folder, { recursive: true });
  });

  it('takes its first sample after a second, not after five', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout'] });
    const monitor = new GpuMonitor({ PATH: '/nowhere' }, 1);
    monitor.start();
    vi.advanceTimersByTime(1_100);
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
    await monitor.stop();
  });
});

describe('devicesOfRun', () => {
  it.each([
    [undefined, 2, ['0', '1']],
    ['3,1', 1, ['3']],
    ['3, 1', 4, ['3', '1']],
    ['2,-1,3', 3, ['2']],
    ['', 1, []],
    ['GPU-8f6a,GPU-11', 2, ['GPU-8f6a', 'GPU-11']],
  ])('CUDA_VISIBLE_DEVICES=%j, %i chips: %j', (visible, chips, devices) => {
    expect(devicesOfRun(visible, chips)).toEqual(devices);
  });
});

describe('peakForLimit', () => {
  const [gib, unknown] = [2 ** 30, { runGiB: null, machineTotalGiB: 90 }];
  it.each([
    ['the peak of the run itself', { runGiB: 7, machineTotalGiB: 90 }, 100, 'cgroup v2', 7],
    ["the machine's use where its memory is the limit", unknown, 100, 'MemTotal', 90],
    ["nothing where a cgroup's limit binds", unknown, 16, 'cgroup v1', null],
    ['nothing where a system file names a smaller limit', unknown, 16, 'MemTotal', null],
    ["the machine's use where there is no limit", unknown, null, 'cgroup v2', 90],
  ] as const)('is %s', (_, peaks, limitGiB, source, expected) => {
    expect(peakForLimit(peaks, limitGiB, { source, totalBytes: 101 * gib })).toBe(expected);
  });
});
