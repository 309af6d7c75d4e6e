import { describe, expect, it } from 'vitest';
import { abReport } from '../../../src/core/gate/ab/ab-report.ts';
import { whyStop, type AbLimits } from '../../../src/core/gate/ab/next.ts';
import { parseSide } from '../../../src/core/gate/ab/side.ts';
import { abChange, orderOf, turnsOf, type AbLaunch } from '../../../src/core/gate/ab/turns.ts';
import { launch, type Launch } from './gate-runs.ts';

const limits: AbLimits = {
  precision: 0.02,
  budgetMs: 600_000,
  minPairs: 2,
  maxPairs: 20,
  metric: 'modelTflopsPerGpu',
};

/** Launches in their turns, a minute each; numbers are step times. */
function turns(base: readonly number[], head: readonly number[], more: Launch = {}): AbLaunch[] {
  let minute = 0;
  return base.flatMap((_, pair) =>
    orderOf(pair).map((side) => {
      minute += 1;
      return { side, record: launch({ ...more, stepMs: (side === 'base' ? base : head)[pair]!, minute }) };
    }),
  );
}

const answer = (launches: readonly AbLaunch[], threshold = 0.05) =>
  abReport(turnsOf(launches), {
    ...{ base: 'A', head: 'B', metrics: ['modelTflopsPerGpu', 'peakGpuGiB'], threshold },
    ...{ startedUtc: '2026-01-01T00:00:00Z', stopped: 'precise' },
  });

describe('launches in turns', () => {
  it('go A B B A', () => {
    expect([0, 1, 2, 3].flatMap(orderOf).map((side) => side[0])).toEqual('b h h b b h h b'.split(' '));
  });

  it('are paired in order; one that a person ended is run again, one of another day is left out', () => {
    const [a, b, c, d] = turns([1000, 1000], [1000, 1000]) as [AbLaunch, AbLaunch, AbLaunch, AbLaunch];
    const stopped: AbLaunch = { side: 'head', record: launch({ outcome: 'interrupted' }) };
    expect(turnsOf([a, stopped, b, c, d]).pairs).toHaveLength(2);
    const nextDay: AbLaunch = { side: 'head', record: launch({ day: 1 }) };
    const late = turnsOf([a, nextDay]);
    expect(late).toMatchObject({ pairs: [], failed: null });
    expect(late.notes.join()).toContain('too long before its partner');
    const crash: AbLaunch = { side: 'head', record: launch({ outcome: 'crash' }) };
    expect(turnsOf([a, crash]).failed).toBe(crash);
  });

  it('a drift over the hours is in both sides alike', () => {
    const drift = (minute: number): number => 1000 + 20 * minute;
    const launches = turns(
      [drift(0), drift(3), drift(4), drift(7)],
      [drift(1), drift(2), drift(5), drift(6)],
    );
    expect(abChange(turnsOf(launches).pairs, 'modelTflopsPerGpu')!.estimate!.mean).toBeCloseTo(0, 3);
  });

  it('two pairs are judged by their four launches, three and more pair by pair', () => {
    const noisy = [1000, 1010] as const;
    const two = abChange(turnsOf(turns(noisy, noisy)).pairs, 'modelTflopsPerGpu')!.estimate!;
    // t(2) = 4.303 times sqrt(2 / 2) times the deviation of (0, ln 1.01).
    expect(two.high).toBeCloseTo(4.303 * Math.log(1.01) * Math.SQRT1_2, 4);
    const three = abChange(
      turnsOf(turns([1000, 1010, 1020], [1000, 1010, 1020])).pairs,
      'modelTflopsPerGpu',
    )!;
    expect(three.estimate).toMatchObject({ mean: 0, low: 0, high: 0 });
  });
});

describe('when an A/B stops', () => {
  const same = turnsOf(turns([1000, 1001], [1001, 1000]));
  it('at precision, after whole blocks, and never before the first', () => {
    expect(whyStop(turnsOf([]), 0, limits)).toBeNull();
    expect(whyStop(turnsOf(turns([1000], [1000])), 0, limits)).toBeNull();
    expect(whyStop(same, 0, limits)).toBe('precise');
    expect(whyStop(same, 0, { ...limits, minPairs: 4 })).toBeNull();
    expect(whyStop(turnsOf(turns([1000, 1001, 1000], [1000, 1000, 1001])), 0, limits)).toBeNull();
  });

  it('not because the sides differ: a clear difference that is known too roughly goes on', () => {
    const slow = turnsOf(turns([1000, 1040, 1010, 1000], [2000, 1900, 2100, 2000]));
    expect(whyStop(slow, 0, limits)).toBeNull();
  });

  it('at the budget, when another pair would not fit; at the last pair; at a failure', () => {
    const wide = turnsOf(turns([1000, 1100], [1100, 1000]));
    expect(whyStop(wide, 470_000, limits)).toBeNull();
    expect(whyStop(wide, 490_000, limits)).toBe('budget');
    expect(whyStop(wide, 0, { ...limits, maxPairs: 2 })).toBe('max pairs');
    expect(whyStop(turnsOf([]), 700_000, limits)).toBe('budget');
    expect(whyStop(turnsOf([{ side: 'base', record: launch({ outcome: 'hang' }) }]), 0, limits)).toBe(
      'failed',
    );
  });
});

describe('the answer of an A/B', () => {
  it.each([
    ['no difference', [1000, 1003, 998, 1001], 'pass'],
    ['10% slower', [1110, 1114, 1108, 1112], 'regression'],
    ['10% faster', [900, 902, 898, 901], 'pass'],
    ['as noisy as the threshold', [1000, 1150, 900, 1100], 'inconclusive'],
  ] as const)('%s', (_, head, verdict) => {
    const report = answer(turns([1000, 1002, 999, 1000], head));
    expect(report).toMatchObject({
      verdict,
      rows: [
        { basis: 'between launches', launches: 8 },
        { status: 'pass', basis: 'counted' },
      ],
    });
  });

  it('more memory is found in one pair of pairs; a failed side is 4 and says which', () => {
    const launches = turns([1000, 1000, 1001], [1000, 1001, 1000]).map((each) => ({
      ...each,
      record: {
        ...each.record,
        memory: { ...each.record.memory, gpuAllocatedGiB: each.side === 'head' ? 33 : 28.9 },
      },
    }));
    expect(answer(launches)).toMatchObject({
      verdict: 'regression',
      rows: [{ status: 'pass' }, { status: 'regression', metric: 'peakGpuGiB' }],
    });
    const crash = answer([...turns([1000], [1000]), { side: 'head', record: launch({ outcome: 'crash' }) }]);
    expect(crash).toMatchObject({
      verdict: 'failed',
      rows: [{ reason: 'B (head): crash: it ended as crash' }],
    });
  });

  it('nothing measured is no pass', () => {
    expect(answer([]).verdict).toBe('inconclusive');
  });
});

describe('the sides of an A/B', () => {
  const words = {
    isStack: (name: string) => name === 'pip',
    isFile: (name: string) => name.endsWith('.json'),
  };
  const side = (label: string) => parseSide(label, '--ab BASE', words);

  it.each([
    ['pip', { stack: 'pip' }],
    ['a.json', { config: 'a.json' }],
    ['stack=fork', { stack: 'fork' }],
    ['attention=unfused,env.A=1=2', { env: { A: '1=2' }, flags: { attention: 'unfused' } }],
    [
      'ds.a.b={"x":1,"y":[1,2]},micro-batch=4',
      { flags: { deepspeedOverrides: ['a.b={"x":1,"y":[1,2]}'], microBatch: 4 } },
    ],
    [
      'activation-checkpointing=false,ratio=0.5,mode=prism',
      { flags: { activationCheckpointing: false, ratio: 0.5, modes: ['prism'] } },
    ],
    ['env.EMPTY=', { env: { EMPTY: '' } }],
  ] as const)('%s', (label, expected) => {
    expect(side(label)).toMatchObject({ label, ...expected });
  });

  it('are refused with every fault and what was meant', () => {
    expect(side('nothing')).toMatchObject([
      { problem: '"nothing" is neither an installed stack nor a file' },
    ]);
    expect(side('atention=sdpa,micro-batch=0,dtype=int8,env.1A=x,constructor=1')).toMatchObject([
      { place: '--ab BASE atention', expected: 'did you mean "attention"?' },
      { place: '--ab BASE micro-batch', problem: 'is "0"' },
      { place: '--ab BASE dtype', expected: 'bf16, fp16, fp32' },
      { problem: 'is not a known setting' },
      { problem: 'is not a known setting' },
    ]);
  });
});
