import { describe, expect, it } from 'vitest';
import { areSourcesCurrent, type SourceIdentity } from '../../../src/core/stack/current.ts';
import { judgeImports, parseImports } from '../../../src/core/install/imports.ts';
import type { UpstreamLock } from '../../../src/core/stack/lock.ts';
import { chooseUpstreams, type Pin, type UpstreamChoice } from '../../../src/core/upstreams/choice.ts';
import { recallSources } from '../../../src/core/upstreams/recall.ts';
import type { UpstreamName } from '../../../src/core/upstreams/upstream.ts';

const [a, b] = ['a'.repeat(40), 'b'.repeat(40)];
const pin = (name: string, commit: string | null): Pin => ({
  url: `https://example.org/${name}`,
  ref: 'main',
  commit,
});
const pins = { deepspeed: pin('deepspeed', null), megatron: pin('megatron', a), apex: pin('apex', a) };
const choose = (
  names: UpstreamName[],
  sources: string[] = [],
  refs: string[] = [],
): readonly UpstreamChoice[] => chooseUpstreams(names, { sources, refs, env: {} }, pins).choices;

const patches = { seriesSha256: 'series', applied: [], skipped: [], overlay: [], files: [] };
const lockOf = (name: UpstreamName, change: Partial<UpstreamLock> = {}): UpstreamLock => ({
  ...{ url: pins[name].url, ref: 'main', commit: a, version: null, directory: '/s', dirtyDiffSha256: null },
  ...{ tree: '0', patches, ...change },
});

describe('areSourcesCurrent', () => {
  const series = { megatron: 'series' };
  const both = { deepspeed: lockOf('deepspeed', { patches: null }), megatron: lockOf('megatron') };
  const current = (
    names: UpstreamName[],
    {
      sources,
      refs,
      upstreams = both,
      apex = null,
      local,
    }: {
      sources?: string[];
      refs?: string[];
      upstreams?: Partial<Record<UpstreamName, UpstreamLock>>;
      apex?: { kind: 'overlay' | 'build'; extensions: string[] } | null;
      local?: Partial<Record<UpstreamName, SourceIdentity>>;
    } = {},
  ) => areSourcesCurrent({ upstreams, apex }, choose(names, sources, refs), series, local);

  it('a stack without sources is current; one that lacks an upstream is not', () => {
    expect(current([], { upstreams: {} })).toBe(true);
    expect(current(['megatron'], { upstreams: {} })).toBe(false);
    expect(current(['deepspeed', 'megatron'])).toBe(true);
  });

  it('by the commit where one is pinned, else by the name of the branch, whatever that is today', () => {
    expect(current(['megatron'], { refs: [`megatron=${b}`] })).toBe(false);
    expect(current(['megatron'], { refs: [`megatron=${a}`] })).toBe(true);
    expect(current(['deepspeed'], { refs: ['deepspeed=dev'] })).toBe(false);
    const dev = { deepspeed: lockOf('deepspeed', { ref: 'dev', patches: null }) };
    expect(current(['deepspeed'], { refs: ['deepspeed=dev'], upstreams: dev })).toBe(true);
    // Back from a branch of the user's to the default one.
    expect(current(['deepspeed'], { upstreams: dev })).toBe(false);
    expect(current(['megatron'], { sources: ['megatron=https://example.org/other'] })).toBe(false);
  });

  it('a repository on this machine by what it is now', () => {
    const sources = ['megatron=/m'];
    const upstreams = { megatron: lockOf('megatron', { url: '/m', dirtyDiffSha256: 'd' }) };
    const now = (change: Partial<SourceIdentity>) =>
      current(['megatron'], {
        ...{ sources, upstreams },
        local: { megatron: { url: '/m', commit: a, dirtyDiffSha256: 'd', ...change } },
      });
    expect(now({})).toBe(true);
    expect(now({ commit: b })).toBe(false);
    expect(now({ dirtyDiffSha256: null })).toBe(false);
    expect(now({ url: '/other' })).toBe(false);
    expect(current(['megatron'], { sources, upstreams })).toBe(false);
  });

  it('not with patches of an older series; patches that were taken out are the user’s business', () => {
    const old = { megatron: lockOf('megatron', { patches: { ...patches, seriesSha256: 'old' } }) };
    expect(current(['megatron'], { upstreams: old })).toBe(false);
    const none = { megatron: lockOf('megatron', { patches: null }) };
    expect(current(['megatron'], { upstreams: none })).toBe(true);
  });

  it('Apex that was never fetched is current where the overlay stands for it', () => {
    expect(current(['apex'], { apex: { kind: 'overlay', extensions: [] } })).toBe(true);
    expect(current(['apex'], { apex: { kind: 'build', extensions: ['x'] } })).toBe(false);
  });
});

describe('judgeImports', () => {
  const of = (modules: Record<string, string | null>, problems: string[] = []) =>
    judgeImports(
      { modules, problems },
      {
        folder: '/s/src',
        sources: { choices: choose(['deepspeed', 'megatron', 'apex']) },
      },
    ).map(({ message }) => message);
  const good = {
    deepspeed: '/s/src/deepspeed/deepspeed/__init__.py',
    megatron: '/s/src/megatron/megatron/__init__.py',
    pretrain_gpt: '/s/src/megatron/pretrain_gpt.py',
  };

  it('takes modules of the work trees only', () => {
    expect(of({ ...good, apex: '/anywhere/apex/__init__.py' })).toEqual([]);
    expect(of({ ...good, deepspeed: '/venv/deepspeed/__init__.py' })).toEqual([
      'Python imports deepspeed from /venv/deepspeed/__init__.py, not from /s/src/deepspeed',
    ]);
    expect(of({ ...good, megatron: '/s/src/megatron-old/megatron/__init__.py' })).toHaveLength(1);
    expect(of({ ...good, megatron: null })).toEqual([
      'Python imports megatron from nowhere, not from /s/src/megatron',
    ]);
  });

  it('tells each that cannot be imported once', () => {
    const { deepspeed, megatron } = good;
    expect(of({ deepspeed, megatron }, ['pretrain_gpt cannot be imported: ImportError: x'])).toEqual([
      'pretrain_gpt cannot be imported: ImportError: x',
    ]);
  });

  it('reads the last result line', () => {
    const line = 'SUPEROFFLOAD {"modules":{"deepspeed":"/d"},"problems":[]}';
    expect(parseImports(`warning\nSUPEROFFLOAD {}\n${line}\n`)?.modules).toEqual({ deepspeed: '/d' });
    expect(parseImports('Traceback')).toBeUndefined();
  });
});

describe('recallSources', () => {
  const before = { sources: { megatron: '/m' }, refs: { megatron: 'dev', deepspeed: 'x' } };
  const recall = (sources: string[], refs: string[], env = {}) => {
    const found = recallSources(['deepspeed', 'megatron'], { sources, refs, env }, before);
    return [...found.sources, ...found.refs].sort();
  };

  it.each([
    [[], [], {}, ['deepspeed=x', 'megatron=/m', 'megatron=dev']],
    [[], ['megatron=v2'], {}, ['deepspeed=x', 'megatron=/m']],
    // Another repository may not have the old ref.
    [['megatron=/n'], [], {}, ['deepspeed=x']],
    [[], [], { MEGATRON_DIR: '/n', DEEPSPEED_DIR: '/d' }, []],
  ])('flags %j %j, variables %j: %j', (sources: string[], refs: string[], env, expected) => {
    expect(recall(sources, refs, env)).toEqual(expected);
  });

  it('says which, and is silent where there is nothing to recall', () => {
    const found = recallSources(['megatron'], { sources: [], refs: [], env: {} }, before);
    expect(found.names).toEqual(['megatron']);
    expect(found.notes.join()).toMatch(/^megatron: from \/m at dev, as this stack was installed/);
    const none = recallSources(['apex'], { sources: [], refs: [], env: {} }, before);
    expect(none).toEqual({ sources: [], refs: [], names: [], notes: [] });
  });
});
