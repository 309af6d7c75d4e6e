import { describe, expect, it } from 'vitest';
import { namedSystem } from '../../../bench/predict-measured.ts';
import { modeNames, unknownRates, type System } from '../../../src/core/experiment/case.ts';
import { missingRates, predictTime } from '../../../src/core/model/step-time.ts';
import { sampleCase } from '../sample-case.ts';

const h200 = namedSystem('h200');

describe('predictTime', () => {
  it.each(modeNames)(
    '%s: has no step time exactly where it names rates that the system does not state',
    (mode) => {
      for (const rate of Object.keys(unknownRates)) {
        const system: System = { ...h200, rates: { ...h200.rates, [rate]: null } };
        const subject = sampleCase({ mode });
        const missing = missingRates(subject, system);
        expect(missing).toEqual(predictTime(subject, system) === null ? [rate] : []);
      }
    },
  );

  it('gives a run with the host to itself all of its speed', () => {
    const node: System = { ...h200, chipsPerNode: 8, hostGiB: 1000, hostGiBPerChip: 125 };
    const stepMs = (system: System, exclusiveHost: boolean): number | undefined =>
      predictTime(sampleCase(), system, { exclusiveHost })?.stepMs;
    expect(stepMs(node, true)).toBe(stepMs(h200, false));
    expect(stepMs(node, false)).toBeGreaterThan(3 * stepMs(node, true)!);
  });

  it("counts what ZeRO-3 offload keeps on the GPU, as a row's key or a user's section says it", () => {
    const section = { device: 'cpu', ratio: 0.5 };
    const stepMs = [
      {},
      { 'zero_optimization.offload_optimizer.ratio': 0.5 },
      { 'zero_optimization.offload_optimizer': section },
    ].map((deepspeedOverrides) => {
      const overrides = { ...deepspeedOverrides, 'zero_optimization.sub_group_size': 1e8 };
      return predictTime(sampleCase({ mode: 'zero_infinity', deepspeedOverrides: overrides }), h200)?.stepMs;
    }) as [number, number, number];
    expect(stepMs[1]).toBeLessThan(0.8 * stepMs[0]);
    expect(stepMs[2]).toBe(stepMs[1]);
  });
});
