import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runPython } from '../trainer/cases.ts';

/** One line of check_host_offload.py: how many tensors differ from DeepSpeed's own after the same steps. */
interface Result {
  readonly case: string;
  readonly optimizer: string;
  readonly skipped: number;
  readonly 'expected skipped': number;
  readonly registered?: number;
  readonly used?: number;
  readonly left?: number;
}

const program = join(import.meta.dirname, 'check_host_offload.py');
const where = 'import importlib.util as u; print(u.find_spec("deepspeed").submodule_search_locations[0])';
const deepspeed = (await runPython(['-c', where])).stdout.trim();
const missing = existsSync(join(deepspeed, 'runtime', 'superoffload', 'host_offload'))
  ? null
  : 'the stack has not the patches of now: superoffload install';
const why = missing === null ? '' : ` (skipped: ${missing})`;

function resultsOf<T>(stdout: string): T[] {
  const lines = stdout.split('\n').filter((line) => line.startsWith('RESULT '));
  return lines.map((line) => JSON.parse(line.slice('RESULT '.length)) as T);
}

/** `cases`: `name@steps`, or a name for as many steps as the one before. */
async function check(before: readonly string[], cases: readonly string[]): Promise<Result[]> {
  const end = await runPython([...before, program, ...cases]);
  expect(end.code, end.stderr.slice(-4000)).toBe(0);
  const results = resultsOf<Result>(end.stdout);
  expect(results.map((result) => result.case)).toEqual(cases.map((name) => name.replace(/@.*/, '')));
  for (const result of results) {
    expect(result).toMatchObject({ weights: 0, moments: 0, low: 0, gradients: 0, loss: 0, norm: 0 });
    expect(result.skipped, result.case).toBe(result['expected skipped']);
  }
  return results;
}

const fused = 'FusedCastsOptimizer';
/** Of the model in check_host_offload.py: 14 bytes a parameter, 8 of them not pinned, and a buffer of DeepSpeed's. */
const fusedBytes = (4 + 2) * 29_344 + 2 * 4096;

describe.skipIf(missing !== null)(`ZeRO's CPU offload with this memory and these casts${why}`, () => {
  test('has every bit of DeepSpeed its own on one rank', { timeout: 300_000 }, async () => {
    const [memory, ...others] = await check(
      [],
      [
        'fused in registered memory@30',
        'zero_infinity_param in registered memory',
        'fused, bad gradients',
        'fused, a layer left out of the last',
        'fused, in fp16',
      ],
    );
    expect(memory).toMatchObject({ optimizer: fused, used: fusedBytes, left: 0 });
    expect(others.map(({ optimizer }) => optimizer)).toEqual([
      'DeepSpeedZeroOptimizer_Stage3',
      fused,
      fused,
      fused,
    ]);
    expect(others.map(({ skipped }) => skipped)).toEqual([0, 3, 0, 2]);
  });

  test('and on two', { timeout: 300_000 }, async () => {
    const launcher = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2'];
    const [result] = await check(launcher, ['fused and accumulated@20']);
    expect(result?.optimizer).toBe(fused);
  });
});

test.skipIf(missing !== null)(
  `registered memory is as large as asked for, and lives as long as what is in it${why}`,
  { timeout: 120_000 },
  async () => {
    const end = await runPython([program, 'blocks']);
    const [blocks] = resultsOf<Record<string, unknown>>(end.stdout);
    const [shared, large] = [32 * 2 ** 20, Math.ceil(12_000_004 / 4096) * 4096];
    expect(blocks, end.stderr.slice(-2000)).toMatchObject({
      sizes: [4, 4000, 400_000, 12_000_004],
      equal: true,
      all: shared + large,
      pinned: [true, true, true, true, true, false],
      empty: [0, 3],
      flat: [6],
      'with a view': shared + large,
      view: true,
      'without it': shared,
      left: 0,
    });
  },
);

test.skipIf(missing !== null)(
  `what the JSON asks for in vain is refused${why}`,
  { timeout: 120_000 },
  async () => {
    const code = `import json, sys
from deepspeed.runtime.superoffload.host_offload import choose_host_memory, optimizer_class
for config in json.load(sys.stdin):
    try: print(choose_host_memory(config), getattr(optimizer_class("its own", config), "func", optimizer_class))
    except ValueError as error: print(error)`;
    const configs = [
      { zero_optimization: { stage: 3 }, superoffload: { casts: 'fused' } },
      { zero_optimization: { stage: 2 }, superoffload: { optimizer: 'overlap' } },
      { zero_optimization: { stage: 2 }, superoffload: { host_memory: 'shared' } },
    ];
    const end = await runPython(['-c', code], { input: JSON.stringify(configs) });
    const [stage, optimizer, memory] = end.stdout.trim().split('\n').slice(-3);
    expect(stage, end.stderr).toContain('superoffload.casts "fused" is for ZeRO-2');
    expect(optimizer).toContain('superoffload.optimizer "overlap" is for ZeRO-3');
    expect(memory).toBe("superoffload.host_memory: expected one of published, registered, found 'shared'");
  },
);
