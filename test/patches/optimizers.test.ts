import { describe, expect, test } from 'vitest';
import { checkProcess, missing, why } from './check-process.ts';
import type { Affinity, Fault, Host, Loop, Overlap, Threads } from './check-process.ts';

const traits = ['in pieces', 'separate casts', 'late return', 'all off', 'early forward, late return'];
const loops = ['gradients dropped', 'its own boundary', 'coalesced', 'a backward pass that failed'];
// The planted faults last: what they leave stays in the process.
const faults = ['not waiting', 'no hook', 'failing', 'ending', 'hanging'];
const alone = checkProcess(
  [],
  [
    'bad gradients@200',
    'fp16@40',
    ...['new rows@30', 'accumulated and clipped', 'saved and loaded', 'half on the accelerator'],
    'all on the accelerator@24',
    ...['early forward@24', 'early forward, clipped', 'early forward, looked at', ...traits],
    ...[...loops, 'a universal checkpoint', 'no bias correction', 'forked'].map((name) => `loop: ${name}`),
    'host: fused in registered memory@30',
    ...['zero_infinity_param in registered memory', 'fused, bad gradients'].map((name) => `host: ${name}`),
    ...['fused, a layer left out of the last', 'fused, in fp16', 'blocks'].map((name) => `host: ${name}`),
    ...['affinity', 'not waiting@24', ...faults.slice(1)],
  ],
);
const two = checkProcess(
  ['-m', 'torch.distributed.run', '--standalone', '--nproc-per-node', '2'],
  ['bad gradients@24', 'clipped', 'affinity', 'refused', 'host: fused and accumulated@20'],
);

/** Every weight has the same bits; norms are summed in another order. */
function expectEqual(result: Overlap): void {
  expect(result).toMatchObject({ within: true, finite: true });
  expect(result).toMatchObject({ different: 0, loss: 0, moments: 0, 'scales differ': 0 });
  expect(result.norm).toBeLessThan(1e-6);
}

/** Clipping scales by the norm, and so by its rounding. */
function expectClose(result: Overlap): void {
  expect(result).toMatchObject({ within: true, finite: true });
  expect(result.loss).toBeLessThan(1e-5);
  expect(result.weights).toBeLessThan(1e-4);
  expect(result.moments).toBeLessThan(1e-3);
}

const adamCores = ({ threads }: Threads): string[] =>
  threads.filter(([name]) => name === 'superoffload').map(([, cores]) => cores);

describe.skipIf(missing !== null)(`the overlap optimizer trains as ZeRO-3's own CPU optimizer${why}`, () => {
  test('on one rank, over 200 steps and over fewer', { timeout: 600_000 }, async () => {
    const bad = await alone<Overlap>('bad gradients');
    expect(bad).toMatchObject({ steps: 200, skipped: 4 });
    const [half, rows] = [await alone<Overlap>('fp16'), await alone<Overlap>('new rows')];
    const early = await alone<Overlap>('early forward');
    const loaded = await alone<Overlap>('saved and loaded');
    for (const result of [bad, half, rows, early, loaded]) expectEqual(result);
    expect(loaded.unbroken, 'beside a training that was never saved').toBeLessThan(1e-6);
    for (const result of [bad, half, rows, early]) expect(result['taken back']).toBeGreaterThan(0);
    expect(half.scales.length, 'the loss scale grew and fell').toBeGreaterThan(2);
    expect(half.skipped, 'planted and grown into').toBeGreaterThan(3);
    const clipped = await alone<Overlap>('accumulated and clipped');
    const parts = [
      await alone<Overlap>('half on the accelerator'),
      await alone<Overlap>('all on the accelerator'),
    ];
    for (const result of [clipped, ...parts]) expectClose(result);
    expect(parts[1]).toMatchObject({ stepped: 0, skipped: 4 });
    expect(clipped.redone).toBeGreaterThan(0);
  });

  test('with each of its traits off, and when others look at it', { timeout: 600_000 }, async () => {
    for (const name of [...traits, 'early forward, looked at']) expectEqual(await alone<Overlap>(name));
    const clipped = await alone<Overlap>('early forward, clipped');
    expectClose(clipped);
    expect(clipped.redone).toBeGreaterThan(0);
  });

  test('on two ranks', { timeout: 600_000 }, async () => {
    const bad = await two<Overlap>('bad gradients');
    expectEqual(bad);
    expect(bad['taken back']).toBeGreaterThan(0);
    expectClose(await two<Overlap>('clipped'));
    // Two ranks that may use the same cores divide them.
    const { cores, all } = await two<Affinity>('affinity');
    const own = all.flatMap(adamCores).sort();
    expect(own).toEqual(cores.length > 1 ? cores.map(String).sort() : [String(cores[0]), String(cores[0])]);
    for (const rank of all) expect(rank.main).toEqual(cores);
    expect((await two<Fault>('refused')).error).toContain(
      'does not work with superoffload.early_forward with 2 ranks (it is for one)',
    );
  });

  test(
    'when a loop drops gradients, decides when to step, fails, begins again',
    {
      timeout: 600_000,
    },
    async () => {
      for (const name of [...loops, 'a universal checkpoint'])
        expect((await alone<Loop>(`loop: ${name}`)).different, name).toBe(0);
      // Steps on the accelerator round otherwise.
      expect((await alone<Loop>('loop: no bias correction')).off).toBeLessThan(1e-5);
      expect(await alone<Loop>('loop: forked')).toMatchObject({ registered: false, plain: true });
    },
  );
});

describe.skipIf(missing !== null)(`what goes wrong in it is noticed${why}`, () => {
  test('a thread that fails, ends or hangs', { timeout: 600_000 }, async () => {
    const [failing, ending] = [await alone<Fault>('failing'), await alone<Fault>('ending')];
    const hanging = await alone<Fault>('hanging');
    expect(failing.error).toContain("the CPU optimizer failed: MemoryError('planted')");
    expect(ending.error).toContain("the CPU optimizer failed: SystemExit('planted')");
    expect(hanging.error).toContain('the CPU optimizer has done nothing for 2 s');
    for (const fault of [failing, ending, hanging]) expect(fault.step).toBe(1);
    // Within seconds, and not after the 2 s that a thread may do nothing: noticed at once, on a busy machine too.
    for (const fault of [failing, ending]) expect(fault.seconds).toBeLessThan(2);
    expect(hanging.seconds).toBeLessThan(10);
  });

  test('weights that are not waited for', { timeout: 600_000 }, async () => {
    for (const fault of [await alone<Fault>('not waiting'), await alone<Fault>('no hook')])
      expect(fault.error !== undefined || (fault.different ?? 0) > 0, JSON.stringify(fault)).toBe(true);
  });

  test('Adam has a thread on every core; all others may use every core', { timeout: 600_000 }, async () => {
    const { cores, all, one } = await alone<Affinity>('affinity');
    const [every, last] = [all[0], one?.[0]];
    if (every === undefined || last === undefined) throw new Error('no threads');
    expect(adamCores(every)).toEqual(cores.map(String).sort());
    expect([every.main, every.autograd]).toEqual([cores, cores]);
    expect(adamCores(last)).toEqual([String(cores.at(-1))]);
    expect(last['adam threads']).toBe(1);
  });
});

const fused = 'FusedCastsOptimizer';
const same = { weights: 0, moments: 0, low: 0, gradients: 0, loss: 0, norm: 0 };
/** Of the model in check_host_offload.py: 14 bytes a parameter, 8 of them not pinned, and a buffer of DeepSpeed's. */
const fusedBytes = (4 + 2) * 29_344 + 2 * 4096;

describe.skipIf(missing !== null)(`ZeRO's CPU offload with this memory and these casts${why}`, () => {
  test('has every bit of DeepSpeed its own on one rank', { timeout: 600_000 }, async () => {
    const memory = await alone<Host>('host: fused in registered memory');
    expect(memory).toMatchObject({ ...same, optimizer: fused, skipped: 0, used: fusedBytes, left: 0 });
    expect(await alone<Host>('host: zero_infinity_param in registered memory')).toMatchObject({
      ...same,
      optimizer: 'DeepSpeedZeroOptimizer_Stage3',
      skipped: 0,
    });
    const skipped = {
      'fused, bad gradients': 3,
      'fused, a layer left out of the last': 0,
      'fused, in fp16': 2,
    };
    for (const [name, steps] of Object.entries(skipped)) {
      const result = await alone<Host>(`host: ${name}`);
      expect(result).toMatchObject({ ...same, optimizer: fused, skipped: steps });
      expect(result['expected skipped']).toBe(steps);
    }
  });

  test('and on two', { timeout: 600_000 }, async () => {
    const result = await two<Host>('host: fused and accumulated');
    expect(result).toMatchObject({ ...same, optimizer: fused });
    expect(result.skipped).toBe(result['expected skipped']);
  });

  test(
    'registered memory is as large as asked for, and lives as long as what is in it',
    {
      timeout: 600_000,
    },
    async () => {
      const [shared, large] = [32 * 2 ** 20, Math.ceil(12_000_004 / 4096) * 4096];
      expect(await alone('host: blocks')).toMatchObject({
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
});
