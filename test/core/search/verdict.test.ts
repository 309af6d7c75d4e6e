import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createFold } from '../../../src/core/logs/fold.ts';
import { classify, noExitEvidence } from '../../../src/core/logs/outcome.ts';
import type { ExitEvidence } from '../../../src/core/logs/events.ts';
import { verdictOf, wallOf } from '../../../src/core/search/verdict.ts';
import { finishedLine, goodLog, iterationLines, recordOf } from '../sample-record.ts';

const fixture = (name: string): string[] =>
  readFileSync(new URL(`../../fixtures/logs/${name}.log`, import.meta.url), 'utf8').split('\n');

/** What a real log and what is known of the process's end come to. */
function wallOfLog(lines: readonly string[], exit: Partial<ExitEvidence> = {}): ReturnType<typeof wallOf> {
  const fold = createFold();
  for (const line of lines) fold.push(line);
  const evidence = { ...noExitEvidence, ...exit };
  return wallOf({ outcome: classify(fold.state, evidence), exit: evidence });
}

describe('which memory ran out, of real logs', () => {
  it.each([
    ['builtin-0.19.8-h200-zero_2-gpu_oom-batch_128', 'gpu'],
    ['megatron-f2c70ad-zero_offload-gpu_oom-torchscript', 'gpu'],
    ['deepspeed-0.19.8-host_oom-cpu_allocator', 'host'],
    ['slurm-host_oom', 'host'],
    ['torch-2.11.0-host_oom-pinned', 'pinned'],
    ['torch-shm_full-dataloader', 'shm'],
    ['deepspeed-0.19.8-crash-exception', null],
    ['deepspeed-0.19.8-killed_unknown-sigkill', null],
    ['deepspeed-0.19.8-worker_dead-no_main_guard', null],
  ])('%s: %s', (name, wall) => {
    expect(wallOfLog(fixture(name))).toBe(wall);
  });

  it("the kernel's count says that SuperOffload's dead worker was the host's memory", () => {
    const lines = fixture('deepspeed-0.19.8-worker_dead-no_main_guard');
    expect(wallOfLog(lines, { exitCode: 1, oomKills: 1 })).toBe('host');
    expect(wallOfLog(lines, { exitCode: 1, oomKills: 0 })).toBeNull();
  });

  it("an allocation that failed in SuperOffload's worker is the host's memory", () => {
    const lines = [
      "Error in worker process: [enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes.",
      'RuntimeError: Worker process is not alive',
    ];
    expect(wallOfLog(lines, { exitCode: 1 })).toBe('host');
  });
});

describe('what a run proves', () => {
  it('that it fits: it ended well, and two steps changed the weights', () => {
    expect(verdictOf(recordOf(goodLog()))).toEqual({ kind: 'ran' });
  });

  it('nothing, where fewer than two steps were applied: Adam may not have its memory yet', () => {
    const lines = iterationLines(Array.from({ length: 30 }, () => 1000));
    const skipped = lines.map((line, index) =>
      index === 29 ? line : line.replace('skipped iterations:   0', 'skipped iterations:   1'),
    );
    const verdict = verdictOf(recordOf([...skipped, finishedLine]));
    expect(verdict).toMatchObject({ kind: 'unproven', reason: expect.stringContaining('--steps') as string });
  });

  it('nothing, where it crashed: the reason is what its outcome says', () => {
    const record = recordOf(fixture('deepspeed-0.19.8-crash-exception'), {
      exit: { ...noExitEvidence, exitCode: 1 },
    });
    expect(verdictOf(record)).toMatchObject({
      kind: 'unproven',
      reason: expect.stringMatching(/^crash: /) as string,
    });
  });

  it('that memory ran out, with the wall', () => {
    const record = recordOf(fixture('torch-2.11.0-host_oom-pinned'), {
      exit: { ...noExitEvidence, exitCode: 1 },
    });
    expect(verdictOf(record)).toEqual({ kind: 'memory', wall: 'pinned' });
  });
});
