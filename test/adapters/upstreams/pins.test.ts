import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fetchSource } from '../../../src/adapters/upstreams/checkout.ts';
import { readPins } from '../../../src/adapters/upstreams/pins.ts';
import { chooseUpstreams } from '../../../src/core/upstreams/choice.ts';
import { isRefusal, parseRef, parseSource } from '../../../src/core/upstreams/source.ts';
import { upstreamNames } from '../../../src/core/upstreams/upstream.ts';
import { fetchContext } from './fetching.ts';
import { git, makeFolder } from './repositories.ts';

const root = join(import.meta.dirname, '../../..');
const file = 'experiment/stacks/upstreams.json';

describe('experiment/stacks/upstreams.json', () => {
  it('is sound: every address and every ref is one that a user could give', () => {
    const pins = Object.values(readPins(root));
    expect(pins).toHaveLength(4);
    for (const { url, ref, commit, commitReason } of pins) {
      expect(isRefusal(parseSource(url))).toBe(false);
      expect(parseRef(ref)).toEqual({ kind: 'name', name: ref });
      expect(commit === null, 'a reason stands where there is no commit').toBe(commitReason !== undefined);
    }
  });

  it('is checked when it is read: every fault with its place', () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'experiment/stacks'), { recursive: true });
    const text = readFileSync(join(root, file), 'utf8');
    const broken = text.replace('"ref": "main"', '"refs": "main"').replace(/f2c70ad[0-9a-f]*/, 'f2c70ad');
    writeFileSync(join(folder, file), broken);
    expect(() => readPins(folder)).toThrow(
      /\/upstreams\/artifact\/refs: is not a known key.*did you mean "ref"/,
    );
    expect(() => readPins(folder)).toThrow(/\/upstreams\/megatron\/commit: is "f2c70ad"/);
    cpSync(join(root, 'package.json'), join(folder, file));
    expect(() => readPins(folder)).toThrow('is not a known key');
    expect(() => readPins(join(folder, 'none'))).toThrow('it is not there');
  });
});

const mirrors = process.env['SUPEROFFLOAD_TEST_SOURCES'];

describe.skipIf(mirrors === undefined)(
  'the upstreams themselves (SUPEROFFLOAD_TEST_SOURCES names their mirrors)',
  () => {
    it.each(['megatron', 'apex'] as const)(
      '%s: the pinned commit from a mirror, in less than 5 s',
      async (name) => {
        const sources = [`${name}=${join(mirrors ?? '', name)}`];
        const pins = readPins(root);
        const { choices, faults } = chooseUpstreams(upstreamNames, { sources, refs: [], env: {} }, pins);
        expect(faults).toEqual([]);
        const choice = choices.find((each) => each.name === name)!;
        const directory = join(makeFolder(), name);
        const began = Date.now();
        const tree = await fetchSource({ ...choice, directory }, fetchContext());
        const tookMs = Date.now() - began;
        expect(tree.commit).toBe(pins[name].commit);
        expect(git(directory, 'status', '--porcelain')).toBe('');
        expect(git(directory, 'rev-list', '--count', 'HEAD').trim()).toBe('1');
        if (name === 'apex') expect(tree.notes[0]).toContain('submodules are not fetched');
        expect(tookMs).toBeLessThan(5_000);
      },
    );
  },
);
