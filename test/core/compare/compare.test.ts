import { describe, expect, it } from 'vitest';
import { compareSets, type NamedSet } from '../../../src/core/compare/compare.ts';
import { diffConfigs } from '../../../src/core/compare/config-diff.ts';
import { comparisonMarkdown } from '../../../src/core/compare/markdown.ts';
import { comparisonText } from '../../../src/cli/text/compare.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { sampleRecord, type SampleRun } from '../../workflows/records/sample-home.ts';
import { sampleSystem } from '../sample-plan.ts';

function setOf(name: string, records: readonly RunRecord[]): NamedSet {
  return { name, records: records.map((record) => ({ record, source: name, folder: null })) };
}

function runs(first: number, ...changes: SampleRun[]): RunRecord[] {
  return changes.map((change, index) => sampleRecord(change, first + index));
}

const nothing: (record: RunRecord) => unknown = () => undefined;
const prism = { case: { mode: 'prism' as const, ratio: 0.9 } };
const newer = (change: SampleRun): SampleRun => ({
  ...change,
  record: { facts: { deepspeed: '0.19.9' }, tool: { version: '0.2.0', commit: null, dirty: null } },
});
const compare = (a: RunRecord[], b: RunRecord[], configOf = nothing) =>
  compareSets(setOf('old', a), setOf('new', b), ['stepMs', 'peakGpuGiB'], configOf);

describe('what else differed', () => {
  it('is said once where it is the same for all cases, and else of the case', () => {
    const a = runs(0, {}, prism);
    const b = runs(60, newer({}), newer({ ...prism, case: { ...prism.case, attention: 'unfused' } }));
    const { cases, differences } = compare(a, b);
    expect(differences.unfair.map(({ name }) => name)).toEqual(['DeepSpeed']);
    expect(differences.other).toEqual([{ name: 'superoffload', a: '0.1.0', b: '0.2.0' }]);
    expect(cases.map((each) => each.differences.unfair.map(({ name }) => name))).toEqual([[], ['attention']]);
    expect(differences.unknown).toContain('power cap');
  });

  it('is no difference where it is what is compared', () => {
    const a = runs(0, { case: { mode: 'prism', ratio: 0.9 } });
    const b = runs(60, { case: { mode: 'prism_ulysses', ratio: 0.5 } });
    const { cases, differences } = compare(a, b);
    expect(cases[0]?.compared).toEqual([{ name: 'ratio', a: '0.9', b: '0.5' }]);
    expect([differences.unfair, cases[0]?.differences.unfair]).toEqual([[], []]);
  });

  it('holds the DeepSpeed JSONs of the runs against each other, but for what is a fact of the case', () => {
    const [a, b] = [runs(0, {}), runs(60, {})];
    const config = ({ runId }: RunRecord): unknown =>
      runId === a[0]?.runId
        ? { train_batch_size: 8, zero_optimization: { stage: 2, offload_optimizer: { pin_memory: true } } }
        : {
            train_batch_size: 16,
            zero_optimization: { stage: 2, sub_group_size: 6e8 },
            bf16: { enabled: true },
          };
    expect(compare(a, b, config).differences.config).toEqual([
      { name: 'zero_optimization.offload_optimizer.pin_memory', a: 'true', b: '(default)' },
      { name: 'zero_optimization.sub_group_size', a: '(default)', b: '600000000' },
    ]);
    expect(compare(a, b).differences.config).toEqual([]);
    expect(diffConfigs({ a: [1, { b: 2 }] }, { a: [1, { b: 3 }] })).toHaveLength(1);
    expect(diffConfigs(null, 'text')).toEqual([]);
  });
});

describe('the cases', () => {
  it('are never averaged over systems, and named by them', () => {
    const gh200 = { record: { system: sampleSystem({ name: 'gh200' }) } };
    const { cases, a } = compare(runs(0, {}, gh200), runs(60, {}, gh200));
    expect(cases.map(({ systemA, systemB }) => [systemA, systemB])).toEqual(
      ['h200', 'gh200'].map((name) =>
        Array.from({ length: 2 }, () => expect.stringContaining(name) as string),
      ),
    );
    expect(a.systems).toEqual(['h200', 'gh200']);
    expect(cases.every(({ metrics }) => metrics.every(({ launches }) => Math.max(...launches) === 1))).toBe(
      true,
    );
  });

  it('say when the launches of one side are not alike', () => {
    const { cases } = compare(runs(0, {}, newer({})), runs(60, {}));
    expect(cases[0]?.mixed).toEqual([
      'launches of A with DeepSpeed 0.19.8, 0.19.9',
      'launches of A with superoffload 0.1.0, 0.2.0',
    ]);
  });

  it('say how launches without a measurement ended, and which only one side has', () => {
    const failed = { log: ['torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB'] };
    const { cases, onlyA, onlyB } = compare(
      runs(0, {}, failed, prism),
      runs(60, failed, { case: { mode: 'zero_3' } }),
    );
    expect(cases[0]?.failed).toEqual([
      expect.stringMatching(/^A: 1 of 2 gpu_oom: /) as string,
      expect.stringMatching(/^B: gpu_oom: /) as string,
    ]);
    expect(cases[0]?.metrics[0]).toMatchObject({ b: null, ratio: null, verdict: 'unknown' });
    expect(onlyA).toMatchObject([{ outcome: 'ok', title: expect.stringContaining('prism') as string }]);
    expect(onlyB).toMatchObject([{ title: expect.stringContaining('zero_3') as string }]);
  });

  it('count runs that are in both', () => {
    const shared = runs(0, {});
    expect(compare(shared, [...shared, ...runs(60, {})]).sharedRuns).toBe(1);
  });
});

describe('as text', () => {
  const hostile = {
    facts: { deepspeed: '<img src=x>\u001b[31m|', torch: '`x`\n# big' },
    tool: { version: '[a](javascript:x)', commit: null, dirty: null },
  };
  const comparison = compare(runs(0, {}, prism), runs(60, { record: hostile }, { case: { mode: 'zero_3' } }));

  it('obeys nothing that a log says', () => {
    const [text, markdown] = [comparisonText(comparison), comparisonMarkdown(comparison)];
    expect(text + markdown).not.toMatch(/\u001b/);
    expect(markdown).not.toMatch(/<img|(?<!\\)\]\(javascript|^# big/m);
    expect(
      markdown
        .split('\n')
        .filter((line) => line.startsWith('| '))
        .every((line) => line.split(/(?<!\\)\|/).length === 10),
    ).toBe(true);
  });

  it('fits into 80 columns where names do', () => {
    const lines = comparisonText(compare(runs(0, {}, prism), runs(60, newer({}), prism))).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
  });

  it('says what a number is from, and no more than is in the table', () => {
    const text = comparisonText(compare(runs(0, {}), runs(60, {})));
    expect(text).toMatch(/ {2}s\/step +1 +1 +1\.000 +1\.000 to 1\.000 +unclear +1\+1 run$/m);
    expect(text).toContain('1+1 run: from the steps of one run each');
    expect(text).not.toContain('pairs:');
  });
});

describe('a case that fits several of the other side', () => {
  const ratio = (value: number): SampleRun => ({ case: { mode: 'prism', ratio: value } });

  it('is said to, with what differs and the flags that choose', () => {
    const comparison = compare(runs(0, {}, ratio(0.9)), runs(60, {}, ratio(0.5), ratio(1)));
    expect(comparison.cases).toHaveLength(1);
    expect(comparison.ambiguous).toMatchObject([
      { differ: [{ name: 'ratio', a: ['0.9'], b: ['0.5', '1'] }], choose: '--case-b mode=prism,ratio=0.5' },
    ]);
    for (const text of [comparisonText(comparison), comparisonMarkdown(comparison)]) {
      expect(text).toContain('not paired, several cases fit');
      expect(text).toContain('ratio: A 0.9; B 0.5, 1');
      expect(text).toMatch(/--case-b mode=prism,ratio=0\.5/);
    }
  });

  it('is not said of one that the other side does not have, nor of what was paired', () => {
    const comparison = compare(runs(0, {}, ratio(0.9)), runs(60, {}, ratio(0.9), ratio(1)));
    expect(comparison.onlyB).toHaveLength(1);
    expect(comparison.ambiguous).toEqual([]);
    expect(comparisonText(comparison)).not.toContain('not paired');
  });

  it('is chosen by its id where no key of a filter tells the cases apart, and by its source where nothing does', () => {
    const settings = [{ case: { attention: 'unfused' as const } }, { case: { dropout: 0.1 } }];
    const [plain] = compare(runs(0, ...settings), runs(60, {})).ambiguous;
    expect(plain?.choose).toMatch(/^--case-a zero-offload-2b.*-[0-9a-f]{8}$/);
    const on = (cores: number): SampleRun => ({ record: { system: sampleSystem({ cores }) } });
    const [machines] = compare(runs(0, on(16), on(32)), runs(60, on(64))).ambiguous;
    expect(machines).toMatchObject({ choose: '', differ: [{ name: 'system' }] });
  });
});
