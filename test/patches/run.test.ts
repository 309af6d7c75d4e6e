import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseLine } from '../../src/core/logs/formats/registry.ts';
import { runPython } from '../trainer/cases.ts';
import type { ProcessEnd } from '../trainer/cases.ts';
import { patches } from './sources.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'run-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The hooks on some ranks, with something in Megatron's place that ends as asked. */
function run(ranks: number, end: string): Promise<ProcessEnd[]> {
  const program = join(import.meta.dirname, 'check_run.py');
  const hooks = join(patches, 'megatron/overlay/megatron/superoffload/run.py');
  return Promise.all(
    Array.from({ length: ranks }, (_, rank) =>
      runPython([program, hooks, join(folder, `store ${end}`), end], {
        env: {
          RANK: String(rank),
          WORLD_SIZE: String(ranks),
          ...(rank === 0 ? { SUPEROFFLOAD_STOP_FILE: join(folder, `stop ${end}`) } : {}),
        },
      }),
    ),
  );
}

describe('two ranks', () => {
  test(
    'stop together though only one was told where to look, and end cleanly',
    { timeout: 600_000 },
    async () => {
      const ends = await run(2, 'exit');
      expect(
        ends.map(({ code }) => code),
        ends[0]?.stderr,
      ).toEqual([0, 0]);
      for (const { stdout } of ends) {
        expect(stdout).toContain("steps 0.0 [{'step': 0}, {}]\n");
        expect(stdout).toContain('stop before False\nstop after True\n');
        expect(stdout).toContain('spawn plain\nimported as __mp_main__\nchild ended with 0\n');
        expect(stdout).toContain('spawn hidden\nchild ended with 0\n');
        expect(stdout).toMatch(/engine destroyed\nprocess group left: False\n$/);
      }
      const lines = (rank: number, kind: string): string[] =>
        (ends[rank]?.stdout ?? '').split('\n').filter((line) => line.startsWith(` ${kind} |`));
      expect([lines(1, 'run facts'), lines(1, 'peak memory')]).toEqual([[], []]);

      const facts = parseLine(lines(0, 'run facts')[0] ?? '');
      expect(facts).toMatchObject({
        facts: {
          'adam threads': '1',
          attention: 'unfused',
          apex: 'none',
          accelerator: 'cpu',
          'super offload': 'false',
          'offload optimizer': 'published',
        },
      });
      const memory = parseLine(lines(0, 'peak memory')[0] ?? '');
      expect(memory).toMatchObject({ type: 'memory', gpuAllocatedGiB: null, gpuReservedGiB: null });
      // Two Pythons with PyTorch take some 0.5 GiB, one less.
      if (memory?.type === 'memory' && memory.hostSource === 'pss')
        expect(memory.hostGiB).toBeGreaterThan(0.3);
    },
  );
});

test(
  'an error or another exit status passes through, and nothing waits for other ranks',
  {
    timeout: 600_000,
  },
  async () => {
    const ends = await Promise.all(['exit 3', 'error'].map((end) => run(1, end)));
    expect(ends.map(([rank]) => rank?.code)).toEqual([3, 1]);
    for (const [rank] of ends) {
      expect(rank?.stdout, rank?.stderr).toContain('stop after True');
      expect(rank?.stdout).not.toContain('peak memory');
      expect(rank?.stdout).not.toContain('engine destroyed');
    }
  },
);
