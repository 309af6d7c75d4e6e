import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { tagRuns } from '../../../src/workflows/records/tags.ts';
import { compareResults, type CompareRequest } from '../../../src/workflows/compare/compare.ts';
import { iterationLines } from '../../core/sample-record.ts';
import { sampleHome } from '../records/sample-home.ts';

const { home, root, context, store } = sampleHome();
const steady = (ms: number): number[] => Array.from({ length: 30 }, (_, index) => ms + (index % 5));
const old = [store({ stepMs: steady(1000) }), store({ stepMs: steady(3000), case: { mode: 'prism' } })];
const now = [store({ stepMs: steady(900) }), store({ stepMs: steady(2000), case: { mode: 'zero_3' } })];
const act = { dryRun: false };
await tagRuns(
  context,
  'old',
  old.map(({ runId }) => runId),
  act,
);
await tagRuns(
  context,
  'now',
  now.map(({ runId }) => runId),
  act,
);

async function compare(change: Partial<CompareRequest> = {}) {
  return compareResults(context, { a: 'old', b: 'now', metrics: ['stepMs'], filters: [], ...change });
}

describe('compare', () => {
  it('takes runs, tags, folders and files, in any mixture', async () => {
    const byTags = await compare();
    expect(byTags.cases).toMatchObject([{ caseIdA: old[0]?.caseId, metrics: [{ verdict: 'better' }] }]);
    expect([byTags.onlyA.length, byTags.onlyB.length]).toEqual([1, 1]);
    writeFileSync(join(root, 'old.ndjson'), old.map((record) => JSON.stringify(record)).join('\n'));
    const byFiles = await compare({ a: 'old.ndjson', b: `home/runs/${now[0]?.runId}` });
    expect(byFiles.cases).toEqual(byTags.cases.map((each) => ({ ...each })));
    expect((await compare({ a: old[0]?.runId ?? '', b: now[0]?.runId ?? '' })).cases).toEqual(byTags.cases);
  });

  it('leaves cases out by their settings, or by a part of their id', async () => {
    expect((await compare({ filters: ['mode=zero_offload'] })).onlyA).toEqual([]);
    expect((await compare({ filters: ['zero-offload-2b'] })).onlyB).toEqual([]);
    expect((await compare({ filters: [old[0]?.caseId.slice(-8) ?? ''] })).cases).toHaveLength(1);
  });

  it('holds two modes of one source against one another', async () => {
    const both = { a: 'old', b: 'old', filtersOfA: ['mode=zero_offload'], filtersOfB: ['mode=prism'] };
    const { cases, onlyA, onlyB } = await compare(both);
    expect(cases).toMatchObject([{ caseIdA: old[0]?.caseId, caseIdB: old[1]?.caseId }]);
    expect([onlyA, onlyB]).toEqual([[], []]);
    const wrong = {
      a: 'old',
      b: 'now',
      filters: ['chips=1'],
      filtersOfA: ['mode=ddp'],
      filtersOfB: ['mod=x'],
    };
    await expect(compare(wrong)).rejects.toThrow(/--case and --case-b mod=x: there is no key/);
    const none = compare({ ...wrong, filters: [], filtersOfB: [] });
    await expect(none).rejects.toThrow(
      /old: no run of it passes --case-a[^]*--case-a mode=ddp: no case has it/,
    );
  });

  it('reads the DeepSpeed JSONs of the run folders; one that is damaged is one that nobody has', async () => {
    const [a, b] = [old[0], now[0]].map((run) => join(home, 'runs', run?.runId ?? '', 'ds_config.json'));
    writeFileSync(a ?? '', '{"zero_optimization": {"stage": 1}}');
    writeFileSync(b ?? '', '{"zero_optimization": {"stage": 2}}');
    expect((await compare()).differences.config).toEqual([
      { name: 'zero_optimization.stage', a: '1', b: '2' },
    ]);
    writeFileSync(b ?? '', '{');
    expect((await compare()).differences.config).toEqual([]);
  });

  it('counts in the log how often gradients were clipped, where the record is too old to say', async () => {
    const before = store({
      case: { gradientClipping: 1 },
      inputs: {},
      record: { clipRate: undefined as never },
    });
    const after = store({ case: { gradientClipping: 1 }, record: { clipRate: 0 } });
    appendFileSync(
      join(home, 'runs', before.runId, 'output.log'),
      iterationLines([1000, 1000, 1000, 1000], ' grad norm: 3.0 |').join('\n'),
    );
    const { differences } = await compare({ a: before.runId, b: after.runId });
    expect(differences.unfair).toContainEqual({ name: 'clip rate', a: '100%', b: '0%' });
  });

  it('passes on what could not be used', async () => {
    const notes: string[] = [];
    const emit = (event: { readonly type: string; readonly message?: string }): void => {
      notes.push(event.message ?? '');
    };
    writeFileSync(join(root, 'many.ndjson'), `${JSON.stringify(old[0])}\n${'{}\n'.repeat(30)}`);
    await compareResults(
      { ...context, emit },
      { a: 'many.ndjson', b: 'now', metrics: ['stepMs'], filters: [] },
    );
    expect(notes).toHaveLength(11);
    expect(notes.at(-1)).toBe('and 20 more that could not be used');
  });
});

describe('nothing to compare', () => {
  it.each<[string, Partial<CompareRequest>, RegExp]>([
    ['the same runs', { b: 'old' }, /old and old are the same runs/],
    ['a source that is none', { b: 'nope' }, /"nope": /],
    ['two that are none', { a: 'never', b: 'nope' }, /"never": .*\n"nope": /],
    [
      'no case in common',
      { a: old[1]?.runId ?? '', filters: ['chips=1'], b: 'other.json' },
      /nothing to compare: no case of/,
    ],
    [
      'a filter that nothing passes',
      { filters: ['mode=ddp'] },
      /old: no run of it passes --case\nnow: no run .*\n--case mode=ddp: no case has it/,
    ],
    [
      'a filter with an unknown key',
      { filters: ['mod=ddp'] },
      /--case mod=ddp: there is no key "mod" \(expected mode\)/,
    ],
    ['a part of an id that no case has', { filters: ['zero-9'] }, /no run of it passes --case/],
  ])('%s: says so, and what there is', async (_, change, message) => {
    const two = [
      store({ case: { chips: 2, mode: 'ddp' } }),
      store({ case: { chips: 1, mode: 'ulysses', dropout: 0.1 } }),
      store({ case: { chips: 1, mode: 'ulysses' } }),
    ];
    writeFileSync(join(root, 'other.json'), JSON.stringify(two));
    const failed = compare(change);
    await expect(failed).rejects.toMatchObject({ code: 'usage' });
    await expect(failed).rejects.toThrow(message);
  });
});
