import { describe, expect, it } from 'vitest';
import { caseWordFaults } from '../../../src/core/gate/case-words.ts';
import { makeReferences } from '../../../src/core/gate/make-references.ts';
import { checkBaseline } from '../../../src/workflows/gate/read-baseline.ts';
import { baselineOf, session } from './gate-runs.ts';

const [reference] = makeReferences(session(0, [1000]), [], {
  metrics: ['modelTflopsPerGpu'],
  threshold: 0.05,
});
const models = ['2B', '5B', 'tiny-1M'];
const excused = (subject: object) =>
  baselineOf([], { expectedFailures: [{ case: subject, reason: 'x', until: '2026-12-31' }] });

describe('words of a case in a baseline', () => {
  it('that nothing has are faults with their path and what was meant', () => {
    const handWritten = { ...reference!, case: { ...reference!.case, mode: 'zero_offlod', model: '2BB' } };
    const bare = { ...handWritten, provenance: { ...reference!.provenance!, runs: [] } };
    expect(caseWordFaults(baselineOf([bare]), models, 'base.json')).toEqual([
      {
        place: 'base.json /references/0/case/mode',
        problem: '"zero_offlod" is no mode',
        expected: 'did you mean "zero_offload"?',
      },
      {
        place: 'base.json /references/0/case/model',
        problem: '"2BB" is no size',
        expected: 'did you mean "2B"?',
      },
    ]);
    expect(caseWordFaults(excused({ mode: 'prizm', model: 'tiny-1' }), models, 'b')).toMatchObject([
      { place: 'b /expectedFailures/0/case/mode', expected: 'did you mean "prism"?' },
      { place: 'b /expectedFailures/0/case/model', expected: 'did you mean "tiny-1M"?' },
    ]);
  });

  it('that runs have are none: sizes of a shape, of a run elsewhere, of a command, of a search', () => {
    const elsewhere = { ...reference!, case: { ...reference!.case, model: 'ours-9B' } };
    expect(caseWordFaults(baselineOf([elsewhere]), models, 'b')).toEqual([]);
    for (const subject of [
      { model: '2x128' },
      { model: '5B' },
      { mode: 'command', model: 'a-1b2c3d4e' },
      { model: null },
    ])
      expect(caseWordFaults(excused(subject), models, 'b')).toEqual([]);
  });

  it('and the metric: what was meant', () => {
    const wrong = { ...baselineOf([]), references: [{ ...reference!, metric: 'modelTflopPerGpu' }] };
    expect(() => checkBaseline(wrong, 'b.json', models)).toThrow(
      'b.json /references/0/metric: is "modelTflopPerGpu" (did you mean "modelTflopsPerGpu"?)',
    );
  });
});
