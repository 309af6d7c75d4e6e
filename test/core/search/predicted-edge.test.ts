import { describe, expect, it } from 'vitest';
import { candidates } from '../../../bench/predict-figure13.ts';
import { namedSystem } from '../../../bench/predict-measured.ts';
import type { Case, System } from '../../../src/core/experiment/case.ts';
import { predictCase, predictFit } from '../../../src/core/model/predict.ts';
import { edgeOfPredictions } from '../../../src/core/search/predicted-edge.ts';
import { sampleCase } from '../sample-case.ts';

const h200 = namedSystem('h200');
const cases = candidates().map((model) => sampleCase({ model, microBatch: 1, globalBatch: 1 }));

describe('the predicted edge', () => {
  const predictedEdge = (all: readonly Case[], system: System): number =>
    edgeOfPredictions(all.map((subject) => predictFit(subject, system))).predicted;

  it('is the last size that fits: ZeRO-Offload ran 5.3e9 parameters in 125 GiB, and 10B was killed', () => {
    const edge = predictedEdge(cases, h200);
    expect(cases[edge]?.model.name).toBe('5B');
    expect(predictCase(cases[edge] ?? sampleCase(), h200).fits).toBe(true);
    expect(cases.slice(edge + 1).some((subject) => predictCase(subject, h200).fits)).toBe(false);
  });

  it('is where `predict` and a dry run say that it fits, at the wall of the GPU too', () => {
    for (const gpuGiB of [20, 40, 60, 80, 95, 139]) {
      const sizes = candidates().map((model) => sampleCase({ model, mode: 'zero_2' }));
      const system = { ...h200, gpuGiB };
      const fits = sizes.findLastIndex((subject) => predictFit(subject, system).fits);
      expect(predictedEdge(sizes, system), `${gpuGiB} GiB`).toBe(fits);
    }
  });

  it('is -1 where nothing fits, and the last where everything does', () => {
    expect(predictedEdge(cases, { ...h200, hostGiB: 1, hostGiBPerChip: 1 })).toBe(-1);
    expect(predictedEdge(cases.slice(0, 2), h200)).toBe(1);
    expect(predictedEdge([], h200)).toBe(-1);
  });
});
