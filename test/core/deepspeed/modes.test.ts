import { describe, expect, it } from 'vitest';
import { findMode, modes } from '../../../src/core/deepspeed/modes/registry.ts';
import { splitSubgroups } from '../../../src/core/deepspeed/modes/subgroups.ts';
import { keyListFor } from '../../../src/core/deepspeed/known-keys.ts';
import { versionOrder } from '../../../src/core/stack/version.ts';

describe('findMode', () => {
  it.each([
    ['prism', 'prism'],
    ['superoffload', 'prism'],
    ['SuperOffload', 'prism'],
    ['super-offload', 'prism'],
    ['zero-offload', 'zero_offload'],
    ['ZERO_OFFLOAD', 'zero_offload'],
    ['zero-infinity', 'zero_infinity'],
    ['zero-infinity-param', 'zero_infinity_param'],
    ['zero2', 'zero_2'],
    ['zero-3', 'zero_3'],
    ['ddp', 'ddp'],
    ['ulysses', 'ulysses'],
    ['prism-ulysses', 'prism_ulysses'],
    ['superoffload-ulysses', 'prism_ulysses'],
    ['prism-overlap', 'prism_overlap'],
  ])('%s is %s', (spelling, name) => {
    expect(findMode(spelling)?.name).toBe(name);
  });

  it.each(['', 'zero', 'prism2', 'constructor', '__proto__'])('there is no mode %j', (name) => {
    expect(findMode(name)).toBeUndefined();
  });

  it('no spelling names two modes', () => {
    const spellings = Object.values(modes).flatMap((mode) => [mode.name, ...mode.aliases]);
    expect(new Set(spellings).size).toBe(spellings.length);
  });
});

describe('splitSubgroups', () => {
  it.each([
    ['ten subgroups at 0.9 keep none', 10, 0.9, 0],
    ['eleven keep one', 11, 0.9, 1],
    ['half', 22, 0.5, 11],
    ['one alone', 1, 0.5, 0],
    ['ratio 0 keeps all', 10, 0, 10],
  ])('%s', (_name, count, ratio, onGpu) => {
    const sizes = Array.from({ length: count }, (_, index) => 1e8 + index);
    const split = splitSubgroups(sizes, ratio);
    expect(split.onGpu).toEqual(sizes.slice(0, onGpu));
    expect(split.onCpu).toEqual(sizes.slice(onGpu));
    expect(split.cpuElements + split.gpuElements).toBe(sizes.reduce((sum, size) => sum + size, 0));
    expect(split.largest).toBe(1e8 + count - 1);
  });
});

describe('keyListFor', () => {
  it.each([
    ['0.18.0', '0.18.0', null],
    ['0.19.8', '0.19.8', null],
    ['0.19.8+cu130', '0.19.8', null],
    ['0.19.3', '0.18.0', 'keys of DeepSpeed 0.19.3 are checked against 0.18.0'],
    ['0.20.1', '0.19.8', 'newer than 0.19.8'],
    ['0.17.5', '0.18.0', 'older than 0.18.0'],
  ])('%s is checked against %s', (installed, version, note) => {
    const list = keyListFor(installed);
    expect(list.version).toBe(version);
    if (note === null) expect(list.note).toBeNull();
    else expect(list.note).toContain(note);
  });

  it('orders versions by number', () => {
    expect(versionOrder('0.9.0', '0.18.0')).toBeLessThan(0);
    expect(versionOrder('0.18', '0.18.0')).toBe(0);
    expect(versionOrder('1.0', '0.99.99')).toBeGreaterThan(0);
  });
});
