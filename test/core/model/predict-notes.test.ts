import { describe, expect, it } from 'vitest';
import { namedSystem } from '../../../bench/predict-measured.ts';
import type { System } from '../../../src/core/experiment/case.ts';
import { predictCase } from '../../../src/core/model/predict.ts';
import { sampleCase } from '../sample-case.ts';

const h200 = namedSystem('h200');

describe('notes of a prediction', () => {
  it('says of copies of pageable memory that nobody measured them over C2C', () => {
    const isSaid = (change: Parameters<typeof sampleCase>[0], system: System): boolean =>
      predictCase(sampleCase({ ratio: 0.9, ...change }), system).notes.some((note) =>
        note.includes('over C2C'),
      );
    const pageable = { 'superoffload.pin_memory': false };
    const gh200 = namedSystem('gh200');
    expect(isSaid({ mode: 'prism' }, gh200)).toBe(true);
    expect(isSaid({ mode: 'prism_overlap', deepspeedOverrides: pageable }, gh200)).toBe(true);
    expect(isSaid({ mode: 'prism_overlap', deepspeedOverrides: pageable }, h200)).toBe(false);
    expect(isSaid({ mode: 'prism_overlap' }, gh200)).toBe(false);
    expect(isSaid({ mode: 'zero_offload' }, gh200)).toBe(false);
  });

  it('names settings that its step time does not count, where there is a step time', () => {
    const subject = sampleCase({
      mode: 'prism_overlap',
      ratio: 1,
      deepspeedOverrides: { 'superoffload.adam_threads': 2 },
    });
    const said = 'the step time does not count superoffload.adam_threads: it is what a step takes without';
    expect(predictCase(subject, h200).notes).toContain(said);
    const { rates } = h200;
    const blind = { ...h200, rates: { ...rates, achievableTflops: null } };
    expect(predictCase(subject, blind).notes).not.toContain(said);
  });
});
