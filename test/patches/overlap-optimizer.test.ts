import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runPython } from '../trainer/cases.ts';

/** One line of check_overlap.py: the overlap optimizer beside ZeRO-3's own after the same steps. */
interface Result {
  readonly case: string;
  readonly steps: number;
  readonly skipped: number;
  readonly 'expected skipped': number;
  readonly different: number;
  readonly speculated: number;
  readonly 'taken back': number;
  readonly redone: number;
  readonly loss: number;
  readonly norm: number;
  readonly weights: number;
  readonly moments: number;
}

const program = join(import.meta.dirname, 'check_overlap.py');
const where = 'import importlib.util as u; print(u.find_spec("deepspeed").submodule_search_locations[0])';
const deepspeed = (await runPython(['-c', where])).stdout.trim();
const missing = existsSync(join(deepspeed, 'runtime', 'superoffload', 'settings.py'))
  ? null
  : 'the stack has not the patches of now: superoffload install';
const why = missing === null ? '' : ` (skipped: ${missing})`;

/** `cases`: `name@steps`, or a name for as many steps as the one before. */
async function check(before: readonly string[], cases: readonly string[]): Promise<Result[]> {
  const end = await runPython([...before, program, ...cases]);
  expect(end.code, end.stderr.slice(-4000)).toBe(0);
  const lines = end.stdout.split('\n').filter((line) => line.startsWith('RESULT '));
  const results = lines.map((line) => JSON.parse(line.slice('RESULT '.length)) as Result);
  expect(results.map((result) => result.case)).toEqual(cases.map((name) => name.replace(/@.*/, '')));
  for (const result of results) expect(result.skipped, result.case).toBe(result['expected skipped']);
  return results;
}

/** Every weight has the same bits; norms are summed in another order. */
function expectEqual(result: Result | undefined): void {
  expect(result).toMatchObject({ different: 0, loss: 0, moments: 0 });
  expect(result?.norm).toBeLessThan(1e-6);
}

/** Clipping scales by the norm, and so by its rounding. */
function expectClose(result: Result | undefined): void {
  expect(result?.loss).toBeLessThan(1e-5);
  expect(result?.weights).toBeLessThan(1e-4);
  expect(result?.moments).toBeLessThan(1e-3);
}

describe.skipIf(missing !== null)(`the overlap optimizer trains as ZeRO-3's own CPU optimizer${why}`, () => {
  test('on one rank, over 200 steps and over 60', { timeout: 300_000 }, async () => {
    const long = ['bad gradients@200', 'accumulated and clipped'];
    const short = ['new rows@60', 'saved and loaded', 'half on the accelerator'];
    const [bad, clipped, rows, loaded, half] = await check([], [...long, ...short]);
    expect([bad?.steps, half?.steps]).toEqual([200, 60]);
    for (const result of [bad, rows, loaded]) expectEqual(result);
    for (const result of [clipped, half]) expectClose(result);
    expect(bad).toMatchObject({ skipped: 4 });
    expect(bad?.speculated).toBeGreaterThan(0);
    expect(bad?.['taken back']).toBeGreaterThan(0);
    expect(rows?.['taken back']).toBeGreaterThan(0);
    expect(clipped?.redone).toBeGreaterThan(0);
  });

  test('on two ranks', { timeout: 300_000 }, async () => {
    const launcher = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2'];
    const [bad, clipped] = await check(launcher, ['bad gradients@60', 'clipped']);
    expectEqual(bad);
    expect(bad?.['taken back']).toBeGreaterThan(0);
    expectClose(clipped);
  });
});

test.skipIf(missing !== null)(
  `a CPU optimizer that fails is an error within a second${why}`,
  { timeout: 120_000 },
  async () => {
    const end = await runPython([program, 'failing']);
    const line = end.stdout.split('\n').find((text) => text.startsWith('RESULT ')) ?? 'RESULT {}';
    const result = JSON.parse(line.slice('RESULT '.length)) as {
      step: number;
      seconds: number;
      error: string;
    };
    expect(result.error, end.stderr).toContain("the CPU optimizer failed: MemoryError('planted')");
    expect(result.step).toBe(1);
    expect(result.seconds).toBeLessThan(1);
  },
);

describe.skipIf(missing !== null)(`the section superoffload of the JSON${why}`, () => {
  const read = async (section: unknown): Promise<string> => {
    const code = `import json, sys
from deepspeed.runtime.superoffload.settings import read_settings
try: print(read_settings({"superoffload": json.loads(sys.argv[1])}))
except ValueError as error: print(error)`;
    return (await runPython(['-c', code, JSON.stringify(section)])).stdout
      .trim()
      .split('\n')
      .slice(-3)
      .join('\n');
  };

  test('says all that is wrong with it', { timeout: 120_000 }, async () => {
    expect(await read({ optimizer: 'overlap', speculation: 1 })).toContain("optimizer='overlap'");
    const faults = await read({ optimizer: 'best', threads: 4, speculation: 'all' });
    expect(faults).toContain('superoffload.threads: unknown');
    expect(faults).toContain("superoffload.speculation: expected float, found 'all'");
    expect(faults).toContain("superoffload.optimizer: expected one of published, overlap, found 'best'");
  });
});
