import { describe, expect, it } from 'vitest';
import { findMode, modes } from '../../../src/core/deepspeed/modes/registry.ts';
import { subgroupsOf } from '../../../src/core/deepspeed/modes/subgroups.ts';
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

describe('subgroupsOf', () => {
  it.each([
    ['ten subgroups at 0.9 keep none', 1e9, 1e8, 0.9, { count: 10, onGpu: 0, cpuShare: 1, size: 1e8 }],
    ['eleven keep one', 1.1e9, 1e8, 0.9, { count: 11, onGpu: 1, cpuShare: 10 / 11, size: 1e8 }],
    ['half', 2.2e9, 1e8, 0.5, { count: 22, onGpu: 11, cpuShare: 0.5, size: 1e8 }],
    ['one small subgroup', 5e6, 1e8, 0.5, { count: 1, onGpu: 0, cpuShare: 1, size: 5e6 }],
    ['ratio 0 keeps all', 1e9, 1e8, 0, { count: 10, onGpu: 10, cpuShare: 0, size: 1e8 }],
  ])('%s', (_name, shard, subGroupSize, ratio, expected) => {
    expect(subgroupsOf({ shard, subGroupSize, ratio })).toEqual(expected);
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
