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
  /** Loss scales, each once. */
  readonly scales: readonly number[];
}

const program = join(import.meta.dirname, 'check_overlap.py');
const where = 'import importlib.util as u; print(u.find_spec("deepspeed").submodule_search_locations[0])';
const deepspeed = (await runPython(['-c', where])).stdout.trim();
const missing = existsSync(join(deepspeed, 'runtime', 'superoffload', 'settings.py'))
  ? null
  : 'the stack has not the patches of now: superoffload install';
const why = missing === null ? '' : ` (skipped: ${missing})`;

async function run<T>(before: readonly string[], cases: readonly string[]): Promise<T[]> {
  const end = await runPython([...before, program, ...cases]);
  expect(end.code, end.stderr.slice(-4000)).toBe(0);
  const lines = end.stdout.split('\n').filter((line) => line.startsWith('RESULT '));
  return lines.map((line) => JSON.parse(line.slice('RESULT '.length)) as T);
}

const launcher = ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2'];
const within = { within: true, finite: true };

/** `cases`: `name@steps`, or a name for as many steps as the one before. */
async function check(before: readonly string[], cases: readonly string[]): Promise<Result[]> {
  const results = await run<Result>(before, cases);
  expect(results.map((result) => result.case)).toEqual(cases.map((name) => name.replace(/@.*/, '')));
  for (const result of results) expect(result, result.case).toMatchObject(within);
  return results;
}

/** Every weight has the same bits; norms are summed in another order. */
function expectEqual(result: Result | undefined): void {
  expect(result).toMatchObject({ different: 0, loss: 0, moments: 0, 'scales differ': 0 });
  expect(result?.norm).toBeLessThan(1e-6);
}

/** Clipping scales by the norm, and so by its rounding. */
function expectClose(result: Result | undefined): void {
  expect(result?.loss).toBeLessThan(1e-5);
  expect(result?.weights).toBeLessThan(1e-4);
  expect(result?.moments).toBeLessThan(1e-3);
}

/** The cores of every thread of one rank. */
interface Threads {
  readonly main: readonly number[];
  readonly autograd: readonly number[];
  readonly threads: readonly (readonly [string, string])[];
  readonly 'adam threads': number;
}

interface Affinity {
  readonly cores: readonly number[];
  readonly all: readonly Threads[];
  readonly one?: readonly Threads[];
}

const adamCores = ({ threads }: Threads): string[] =>
  threads.filter(([name]) => name === 'superoffload').map(([, cores]) => cores);

/** What a planted fault, or a process without one, said. */
interface Fault {
  readonly step: number;
  readonly seconds: number;
  readonly error?: string;
  readonly different?: number;
}

describe.skipIf(missing !== null)(`the overlap optimizer trains as ZeRO-3's own CPU optimizer${why}`, () => {
  test('on one rank, over 200 steps and over fewer', { timeout: 600_000 }, async () => {
    const long = ['bad gradients@200', 'accumulated and clipped@60', 'early forward', 'fp16'];
    const short = ['new rows@30', 'saved and loaded', 'half on the accelerator'];
    const [bad, clipped, early, half, rows, loaded, split] = await check([], [...long, ...short]);
    expect([bad?.steps, clipped?.steps, split?.steps]).toEqual([200, 60, 30]);
    for (const result of [bad, early, half, rows, loaded]) expectEqual(result);
    for (const result of [clipped, split]) expectClose(result);
    expect(bad).toMatchObject({ skipped: 4, speculated: expect.any(Number) as number });
    for (const result of [bad, early, half, rows]) expect(result?.['taken back']).toBeGreaterThan(0);
    expect(clipped?.redone).toBeGreaterThan(0);
    expect(half?.scales.length, 'the loss scale grew and fell').toBeGreaterThan(2);
    expect(half?.skipped, 'planted and grown into').toBeGreaterThan(3);
  });

  test('with each of its traits off, and when others look at it', { timeout: 600_000 }, async () => {
    const off = ['separate casts', 'late return', 'all off'];
    const early = ['early forward, late return', 'early forward, looked at'];
    const clipping = 'early forward, clipped@24';
    const [clipped, ...others] = await check([], [clipping, 'in pieces', ...off, ...early]);
    for (const result of others) expectEqual(result);
    expectClose(clipped);
    expect(clipped?.redone).toBeGreaterThan(0);
  });

  test('on two ranks', { timeout: 600_000 }, async () => {
    const cases = ['bad gradients@30', 'clipped', 'affinity', 'refused'];
    const [bad, clipped, threads, refused] = await run<Result & Affinity & Fault>(launcher, cases);
    for (const result of [bad, clipped]) expect(result).toMatchObject(within);
    expectEqual(bad);
    expect(bad?.['taken back']).toBeGreaterThan(0);
    expectClose(clipped);
    // Two ranks that may use the same cores divide them.
    const cores = threads?.cores ?? [];
    const own = (threads?.all ?? []).flatMap(adamCores).sort();
    expect(own).toEqual(cores.length > 1 ? cores.map(String).sort() : [String(cores[0]), String(cores[0])]);
    for (const rank of threads?.all ?? []) expect(rank.main).toEqual(cores);
    expect(refused?.error).toContain(
      'does not work with superoffload.early_forward with 2 ranks (it is for one)',
    );
  });
});

describe.skipIf(missing !== null)(`what goes wrong in it is noticed${why}`, () => {
  test(
    'a thread that fails, ends or hangs; weights that are not waited for',
    { timeout: 180_000 },
    async () => {
      const cases = ['affinity', 'failing', 'ending', 'hanging', 'not waiting@24', 'no hook'];
      const [threads, ...faults] = await run<Fault & Affinity>([], cases);
      const [failing, ending, hanging, impatient, blind] = faults;
      expect(failing?.error).toContain("the CPU optimizer failed: MemoryError('planted')");
      expect(ending?.error).toContain("the CPU optimizer failed: SystemExit('planted')");
      expect(hanging?.error).toContain('the CPU optimizer has done nothing for 2 s');
      for (const fault of [failing, ending, hanging]) expect(fault?.step).toBe(1);
      for (const fault of [failing, ending]) expect(fault?.seconds).toBeLessThan(1);
      expect(hanging?.seconds).toBeLessThan(10);
      for (const fault of [impatient, blind])
        expect(fault?.error !== undefined || (fault?.different ?? 0) > 0, JSON.stringify(fault)).toBe(true);

      // Adam has a thread on every core; all others may use every core that the process may use.
      const [all, one] = [threads?.all[0], threads?.one?.[0]];
      const cores = threads?.cores ?? [];
      if (all === undefined || one === undefined) throw new Error('no threads');
      expect(adamCores(all)).toEqual(cores.map(String).sort());
      expect([all.main, all.autograd]).toEqual([cores, cores]);
      expect(adamCores(one)).toEqual([String(cores.at(-1))]);
      expect(one['adam threads']).toBe(1);
    },
  );
});

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
