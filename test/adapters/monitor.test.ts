import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { GpuMonitor } from '../../src/adapters/monitor/gpu.ts';
import { HostMemoryMonitor } from '../../src/adapters/monitor/host-memory.ts';
import { oomKillsBetween, readOomCounters } from '../../src/adapters/monitor/oom-kills.ts';
import { runIdVariable } from '../../src/adapters/processes.ts';

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
    [at(1, 5), at(1, 6), 1],
    [at(null, 5), at(null, 6), 1],
    [at(2, null), at(2, null), 0],
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
  /** Samples `answers`, one each five seconds of a clock that is turned by hand; nvidia-smi is a script. */
  async function sampled(answers: readonly string[]) {
    const folder = mkdtempSync(join(tmpdir(), 'nvidia-smi-'));
    const script = `#!/bin/sh\nn=$(cat ${folder}/n 2>/dev/null || echo 1)\necho $((n + 1)) > ${folder}/n\nsed -n "$n p" ${folder}/answers\n`;
    writeFileSync(join(folder, 'nvidia-smi'), script);
    writeFileSync(join(folder, 'answers'), answers.join('\n'));
    chmodSync(join(folder, 'nvidia-smi'), 0o755);
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const monitor = new GpuMonitor({ PATH: `${folder}:${process.env['PATH'] ?? ''}` });
    monitor.start();
    for (const answer of answers) {
      vi.advanceTimersByTime(5_000);
      await sleep(150, answer);
    }
    const conditions = await monitor.stop();
    rmSync(folder, { recursive: true });
    return conditions;
  }

  it('takes clocks and throttling from samples under load only', async () => {
    expect(
      await sampled([
        '345, 1980, 700.00, 40, 0x0000000000000001, 0',
        '1755, 1980, 700.00, 61, 0x0000000000000004, 98',
        '1980, 1980, 700.00, 65, 0x0000000000000000, 99',
        '1900, 1980, 700.00, [N/A], 0x0000000000000000, 99',
      ]),
    ).toEqual({
      smClockMhz: 1900,
      maxSmClockMhz: 1980,
      powerCapWatt: 700,
      maxTemperatureC: 65,
      throttleReasons: ['software power cap'],
      samples: 4,
    });
  });

  it('has nothing to say where nvidia-smi has not', async () => {
    expect(await sampled(['NVIDIA-SMI has failed', ''])).toBeNull();
  });
});
