import { describe, expect, it } from 'vitest';
import {
  adamWithCopiesMs,
  dependentLimitMs,
  physicalLimit,
  type MachineRates,
} from '../../../src/core/model/limits.ts';

/** One H200 behind PCIe with 16 cores, as bench/overlap_limits.py found it; products of experiment/systems/h200.json. */
const h200: MachineRates = {
  matmulFlopsPerSecond: 805e12,
  adamNs: 0.195,
  adamBesideCopiesNs: 0.278,
  linkGBps: 55,
  linkBesideAdamGBps: 36.8,
};

/** 2B at batch 8, sequence 1024: 112.3 TFLOP a step by the trainer's formula, all of the optimizer on the CPU. */
const whole2B = { forwardFlops: 112.3e12 / 3, cpuParameters: 2.12e9, linkBytesPerParameter: 2 };

describe('the least time of a step', () => {
  it('is that of the busiest resource', () => {
    const limit = physicalLimit(whole2B, h200);
    expect(limit.computeMs).toBeCloseTo(139.5, 0);
    expect(limit.hostMs).toBeCloseTo(413.4, 1);
    expect(limit.linkMs).toBeCloseTo(77.1, 1);
    expect(limit).toMatchObject({ limitMs: limit.hostMs, limitedBy: 'host memory' });
    expect(physicalLimit({ ...whole2B, cpuParameters: 0 }, h200)).toMatchObject({
      limitedBy: 'compute',
      hostMs: 0,
    });
    expect(physicalLimit(whole2B, { ...h200, linkGBps: 5 }).limitedBy).toBe('link');
  });

  it('grows by what copies take from Adam, for as long as they last', () => {
    // 4.24 GB at 36.8 GB/s are 115.2 ms, in which 414.5e6 parameters are stepped; 1705.5e6 remain.
    expect(adamWithCopiesMs(whole2B, h200)).toBeCloseTo(115.2 + 332.6, 0);
    expect(adamWithCopiesMs(whole2B, { ...h200, adamBesideCopiesNs: h200.adamNs })).toBeCloseTo(413.4, 1);
    expect(adamWithCopiesMs({ ...whole2B, linkBytesPerParameter: 0 }, h200)).toBeCloseTo(413.4, 1);
  });

  it('is the link where that is slower than Adam beside it', () => {
    expect(adamWithCopiesMs(whole2B, { ...h200, linkBesideAdamGBps: 4.24 })).toBeCloseTo(1000, 6);
  });

  it('holds a forward pass before Adam, and never less than the compute', () => {
    expect(dependentLimitMs(whole2B, h200)).toBeCloseTo(46.5 + 447.8, 0);
    expect(dependentLimitMs({ ...whole2B, cpuParameters: 0 }, h200)).toBeCloseTo(139.5, 0);
  });

  it('lies below every step that was measured on that machine', () => {
    const measured = [
      { demand: whole2B, ms: 531 },
      { demand: { ...whole2B, cpuParameters: 0.9 * 2.12e9 }, ms: 485 },
      { demand: { forwardFlops: 266e12 / 3, cpuParameters: 5.143e9, linkBytesPerParameter: 2 }, ms: 1351 },
      { demand: { forwardFlops: 372e12 / 3, cpuParameters: 3.966e9, linkBytesPerParameter: 2 }, ms: 1335 },
    ];
    for (const { demand, ms } of measured) expect(dependentLimitMs(demand, h200)).toBeLessThan(ms);
  });
});
