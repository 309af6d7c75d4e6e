import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairUnits } from '../../../src/core/compare/pairing.ts';
import { distinctTitles } from '../../../src/core/compare/titles.ts';
import { unitsOf, type CompareUnit } from '../../../src/core/compare/unit.ts';
import { modeNames, type Case } from '../../../src/core/experiment/case.ts';
import { sampleRecord } from '../../workflows/records/sample-home.ts';
import { sampleSystem } from '../sample-plan.ts';

const model = { name: '5B', layers: 44, hidden: 3072, heads: 24, paddedVocabulary: 50432 };

/** One launch of each case. */
function units(cases: readonly Partial<Case>[], system = sampleSystem()): CompareUnit[] {
  return unitsOf(cases.map((change, index) => sampleRecord({ case: change, record: { system } }, index)));
}

function paired(a: readonly CompareUnit[], b: readonly CompareUnit[]): string[] {
  return pairUnits(a, b).pairs.map(
    (pair) => `${pair.a.record.case?.mode} ${pair.b.record.case?.mode}: ${pair.by}`,
  );
}

const base: Partial<Case> = {};
const prism: Partial<Case> = { mode: 'prism', ratio: 0.9 };
const zero3: Partial<Case> = { mode: 'zero_3' };

describe('which case is held against which', () => {
  it('the same case, whatever else there is', () => {
    expect(paired(units([base, prism, zero3]), units([zero3, base]))).toEqual([
      'zero_offload zero_offload: same case',
      'zero_3 zero_3: same case',
    ]);
  });

  it('a case that differs only in settings', () => {
    expect(paired(units([base, prism]), units([prism, { steps: 99, attention: 'unfused' }]))).toEqual([
      'zero_offload zero_offload: same mode, size, chips, batch and sequence',
      'prism prism: same case',
    ]);
  });

  it('another micro-batch of the same global batch', () => {
    expect(paired(units([base]), units([{ microBatch: 4, gradientAccumulation: 2 }]))).toEqual([
      'zero_offload zero_offload: same mode, size, chips, global batch and sequence',
    ]);
  });

  it.each<[string, Partial<Case>, string[]]>([
    ['same size, chips, batch and sequence: another mode', { mode: 'prism' }, ['mode', 'ratio']],
    [
      'same mode, size, chips and sequence: another batch',
      { globalBatch: 16 },
      ['global batch', 'micro-batch', 'accumulation'],
    ],
    [
      'same mode, size and sequence: other chips',
      { chips: 4, globalBatch: 32 },
      expect.arrayContaining(['chips']) as string[],
    ],
    ['same mode, chips and sequence: another size', { model }, expect.arrayContaining(['size']) as string[]],
    [
      'same mode, size and chips: another sequence',
      { sequenceLength: 2048 },
      expect.arrayContaining(['sequence']) as string[],
    ],
    ['the only case of each', { mode: 'prism', model, chips: 2, sequenceLength: 4096 }, []],
  ])('where no two do the same work: %s', (by, change, compared) => {
    const { pairs } = pairUnits(units([base]), units([change]));
    expect(pairs).toMatchObject([{ by, compared }]);
  });

  it('other work is never paired beside the same work', () => {
    const { pairs, onlyA, onlyB } = pairUnits(units([base, prism]), units([base, zero3]));
    expect(pairs).toHaveLength(1);
    expect([onlyA, onlyB].map((each) => each.map(({ record }) => record.case?.mode))).toEqual([
      ['prism'],
      ['zero_3'],
    ]);
  });

  it('nothing by guess: of two that fit, none', () => {
    const settings = [{ attention: 'sdpa' }, { attention: 'unfused' }] as const;
    const { pairs, onlyA, onlyB } = pairUnits(units([{ steps: 9 }]), units([...settings]));
    expect([pairs.length, onlyA.length, onlyB.length]).toEqual([0, 1, 2]);
  });

  it('never two machines where they share one, and else with the system as what is compared', () => {
    const gh200 = sampleSystem({ name: 'gh200' });
    const both = [...units([base]), ...units([base], gh200)];
    expect(pairUnits(both, units([base], gh200)).pairs).toMatchObject([
      { a: { systemKey: both[1]?.systemKey }, compared: [] },
    ]);
    expect(pairUnits(units([base]), units([base], gh200)).pairs).toMatchObject([
      { by: 'same case', compared: ['system'] },
    ]);
    // Of two machines of A none is the one that B's is to be held against.
    expect(pairUnits(both, units([base], sampleSystem({ name: 'a100' }))).pairs).toEqual([]);
  });

  it('local is another machine where its GPU is another one', () => {
    const local = (gpuName: string): CompareUnit[] => units([base], sampleSystem({ name: 'local', gpuName }));
    expect(local('H200')[0]?.systemKey).not.toBe(local('A100')[0]?.systemKey);
    expect(unitsOf([...local('H200'), ...local('A100')].flatMap(({ launches }) => launches))).toHaveLength(2);
  });

  const anyCase = fc.record({
    mode: fc.constantFrom(...modeNames.slice(0, 3)),
    chips: fc.constantFrom(1, 2),
    globalBatch: fc.constantFrom(8, 16),
    sequenceLength: fc.constantFrom(1024, 2048),
    steps: fc.constantFrom(10, 20),
  });

  it('takes each case at most once, loses none, and is the same from both sides', () => {
    const sets = fc.tuple(fc.array(anyCase, { maxLength: 8 }), fc.array(anyCase, { maxLength: 8 }));
    fc.assert(
      fc.property(sets, ([left, right]) => {
        const [a, b] = [units(left), units(right)];
        const { pairs, onlyA, onlyB } = pairUnits(a, b);
        expect(new Set([...pairs.map((pair) => pair.a), ...onlyA])).toEqual(new Set(a));
        expect(new Set([...pairs.map((pair) => pair.b), ...onlyB])).toEqual(new Set(b));
        expect(pairs.length + onlyA.length).toBe(a.length);
        const turned = new Map(pairUnits(b, a).pairs.map((pair) => [pair.b, pair.a]));
        expect(turned).toEqual(new Map(pairs.map((pair) => [pair.a, pair.b])));
      }),
      { numRuns: 60 },
    );
  });
});

describe('titles', () => {
  it('say what tells cases of equal titles apart, and nothing more', () => {
    const all = units([base, { steps: 99 }, prism]);
    const titles = distinctTitles(all);
    expect([...titles.values()].map((title) => title.replace(/.*bf16/, ''))).toEqual([
      ', steps 30',
      ', steps 99',
      '',
    ]);
    const apart = [...units([base]), ...units([base], sampleSystem({ name: 'gh200' }))];
    expect([...distinctTitles(apart).values()].map((title) => / on (\w+),/.exec(title)?.[1])).toEqual([
      'h200',
      'gh200',
    ]);
  });
});
