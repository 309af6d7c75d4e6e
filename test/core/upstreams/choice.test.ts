import { describe, expect, it } from 'vitest';
import { chooseUpstreams, type Pin, type UpstreamFlags } from '../../../src/core/upstreams/choice.ts';
import { upstreamNames } from '../../../src/core/upstreams/upstream.ts';

const commit = 'f2c70ad9db2fa8a210f17086ee9c201541e6d539';
const pins: Record<(typeof upstreamNames)[number], Pin> = {
  deepspeed: { url: 'https://host.example/DeepSpeed.git', ref: 'superoffload', commit: null },
  megatron: { url: 'https://host.example/Megatron.git', ref: 'superoffload', commit },
  apex: { url: 'https://host.example/apex.git', ref: '23.05-devel', commit: 'a'.repeat(40) },
};
const choose = (
  flags: Partial<UpstreamFlags>,
  names: readonly (typeof upstreamNames)[number][] = upstreamNames,
) => chooseUpstreams(names, { sources: [], refs: [], env: {}, ...flags }, pins);

describe('without flags', () => {
  it('the pinned data decides', () => {
    const { choices, notes, faults } = choose({});
    expect(
      choices.map(({ name, source, ref, commit: pinned }) => [name, source.address, ref.name, pinned]),
    ).toEqual([
      ['deepspeed', pins.deepspeed.url, 'superoffload', null],
      ['megatron', pins.megatron.url, 'superoffload', commit],
      ['apex', pins.apex.url, '23.05-devel', 'a'.repeat(40)],
    ]);
    expect([notes, faults]).toEqual([[], []]);
  });
});

describe('--source and --ref', () => {
  it('a source alone keeps the pinned commit; a ref frees it; a commit is one', () => {
    const { choices, faults } = choose({
      sources: ['megatron=/srv/megatron', 'apex=git@host.example:apex.git'],
      refs: ['apex=master', `deepspeed=${'B'.repeat(40)}`],
    });
    expect(faults).toEqual([]);
    expect(
      choices.map((choice) => [choice.name, choice.commit, choice.ref.name, choice.isDefaultRef]),
    ).toEqual([
      ['deepspeed', 'b'.repeat(40), 'b'.repeat(40), false],
      ['megatron', commit, 'superoffload', true],
      ['apex', null, 'master', false],
    ]);
    expect(choices[1]?.source).toEqual({ kind: 'path', address: '/srv/megatron', shown: '/srv/megatron' });
  });

  it('all faults at once, and no password in any of them', () => {
    const { faults } = choose(
      {
        sources: [
          'megatorn=x',
          'deepspeed=ext::sh',
          'https://me:secret@host.example/x',
          'apex=/a',
          'megatron=/a',
          'megatron=/b',
          'me:secret=x',
        ],
        refs: ['megatron=--upload-pack=x', 'megatron', '=x'],
      },
      ['deepspeed', 'megatron'],
    );
    expect(faults.map(({ place, problem }) => `${place}: ${problem}`)).toEqual([
      '--source: there is no upstream "megatorn"',
      '--source deepspeed: names a transport helper (NAME::ADDRESS), which may run a command',
      '--source: names no upstream',
      '--source apex: nothing is taken from apex here',
      '--source megatron: is given twice',
      '--source: names no upstream',
      '--ref megatron: begins with "-", as an option does',
      '--ref: names no upstream',
      '--ref: names no upstream',
    ]);
    expect(faults[0]?.expected).toBe('megatron');
    expect(JSON.stringify(faults)).not.toContain('secret');
  });

  it('the same value twice is no fault', () => {
    expect(choose({ refs: ['apex=x', 'apex=x'] }).faults).toEqual([]);
  });
});

describe("the artifact's variables", () => {
  it.each([
    ['deepspeed', 'DEEPSPEED_DIR'],
    ['megatron', 'MEGATRON_DEEPSPEED_DIR'],
    ['megatron', 'MEGATRON_DIR'],
    ['megatron', 'Megatron_DeepSpeed'],
    ['megatron', 'MEGATRON-DEEPSPEED_DIR'],
  ] as const)('%s: %s is a source, and it is said', (name, variable) => {
    const { choices, notes } = choose({ env: { [variable]: '/srv/here/' } }, [name]);
    expect(choices[0]?.source.address).toBe('/srv/here');
    expect(notes).toEqual([`${name}: from ${variable}=/srv/here`]);
  });

  it('a flag beats them, an empty one is none', () => {
    const env = { MEGATRON_DIR: '/srv/here', DEEPSPEED_DIR: '' };
    const { choices, notes } = choose({ env, sources: ['megatron=/other'] }, ['deepspeed', 'megatron']);
    expect(choices.map(({ source }) => source.address)).toEqual([pins.deepspeed.url, '/other']);
    expect(notes).toEqual([]);
  });

  it('several that agree are one; several that do not are a fault that names all', () => {
    const agree = { MEGATRON_DIR: '/srv/here', MEGATRON_DEEPSPEED_DIR: '/srv/here/' };
    expect(choose({ env: agree }).notes).toEqual([
      'megatron: from MEGATRON_DEEPSPEED_DIR and MEGATRON_DIR=/srv/here',
    ]);
    const { faults } = choose({ env: { ...agree, Megatron_DeepSpeed: 'https://me:secret@host.example/x' } });
    expect(faults).toHaveLength(1);
    expect(faults[0]?.problem).toBe(
      "the environment's variables for megatron disagree: MEGATRON_DEEPSPEED_DIR=/srv/here, MEGATRON_DIR=/srv/here, Megatron_DeepSpeed=https://host.example/x",
    );
  });

  it('a value that git could take for an option is a fault of that variable', () => {
    const { faults } = choose({ env: { DEEPSPEED_DIR: '--upload-pack=touch' } }, ['deepspeed']);
    expect(faults[0]?.place).toBe('DEEPSPEED_DIR');
  });
});
