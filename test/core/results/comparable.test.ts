import { describe, expect, it } from 'vitest';
import { plainSite, type System } from '../../../src/core/experiment/case.ts';
import type { Placement } from '../../../src/core/plan/run-plan.ts';
import { isComparable } from '../../../src/core/results/comparable.ts';
import type { ToolIdentity } from '../../../src/core/results/record.ts';
import { samplePlan, sampleSystem } from '../sample-plan.ts';

const tool: ToolIdentity = { version: '1.0.0', commit: 'a', dirty: false };
const now = { ...samplePlan(), tool };
const place = (change: Partial<Placement>): { readonly placement: Placement } => ({
  placement: {
    ...{ binding: 'none', hostNumaNodes: null, exclusiveHost: false, hostGiB: 125, machine: null },
    ...change,
  },
});
const on = (change: Partial<System>): boolean => isComparable({ ...now, system: sampleSystem(change) }, now);

describe('a stored run counts', () => {
  it('where machine, share, stack and tool are the same', () => {
    expect(isComparable(now, now)).toBe(true);
    // MemTotal moves a little.
    expect(on({ hostGiB: 125.9, hostGiBPerChip: 125.9 })).toBe(true);
  });

  it('not of another machine, though it is called the same', () => {
    for (const change of [
      { gpuName: 'A100' },
      { gpuGiB: 80 },
      { cores: 8 },
      { chipsPerNode: 2 },
      { hostGiBPerChip: 62 },
      { site: { ...plainSite, env: { NCCL_SOCKET_IFNAME: 'hsn' } } },
    ])
      expect(on(change), JSON.stringify(change)).toBe(false);
  });

  it('not where a container had less host memory: what was out of memory there may fit here', () => {
    expect(on({ hostGiB: 31, hostGiBPerChip: 31 })).toBe(false);
  });

  it('not of another share of the node', () => {
    expect(isComparable({ ...now, ...place({ exclusiveHost: true }) }, now)).toBe(false);
    expect(isComparable({ ...now, ...place({ binding: 'numactl', hostNumaNodes: [0] }) }, now)).toBe(false);
  });

  it('not of another stack, or one that was changed since its lock', () => {
    const { stack } = now;
    if (stack === null) throw new Error('the sample has a stack');
    expect(isComparable({ ...now, stack: { ...stack, hash: 'other' } }, now)).toBe(false);
    expect(isComparable({ ...now, stack: { ...stack, drift: ['torch 2.14'] } }, now)).toBe(false);
  });

  it('not of another version or commit of this tool, whose trainer may take other memory', () => {
    expect(isComparable({ ...now, tool: { ...tool, commit: 'b' } }, now)).toBe(false);
    expect(isComparable({ ...now, tool: { ...tool, version: '1.1.0' } }, now)).toBe(false);
    expect(isComparable({ ...now, tool: null }, now)).toBe(false);
    // An installed package has no commit.
    expect(isComparable({ ...now, tool: { ...tool, commit: null } }, now)).toBe(true);
  });
});
