import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dtypes, modeNames } from '../../../../src/core/experiment/case.ts';
import { buildFigure } from '../../../../src/core/figures/paper/build-figure.ts';
import { figureNumbers, type FigureData, type Mark } from '../../../../src/core/figures/figure-data.ts';
import { figureSystems } from '../../../../src/core/figures/figure-system.ts';
import { outcomeClasses } from '../../../../src/core/logs/events.ts';
import type { RunRecord } from '../../../../src/core/results/record.ts';
import { inputsOf, realRecords } from '../scene-inputs.ts';

const names = fc.constantFrom(
  '2B',
  'tiny',
  '../../x',
  '<b>',
  '\u001b[31mred',
  '\u202eB2',
  'a\nb',
  '__proto__',
  '',
  'x'.repeat(500),
);
const oddNumber = fc.constantFrom(
  0,
  -1,
  1e308,
  1e-300,
  Number.MAX_VALUE,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  null,
);
const number = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: 0.1, max: 1000, noNaN: true }) },
  oddNumber,
) as fc.Arbitrary<number>;
const count = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(1, 2, 4, 8, 16) },
  fc.constantFrom(0, -4, 3, 1.5, 2 ** 53, 1e21, Number.NaN),
);

/** Real runs, each with any of its parts changed to what no tool would write. */
const anyRecord: fc.Arbitrary<RunRecord> = fc
  .record({
    record: fc.constantFrom(...realRecords),
    subject: fc.record(
      {
        mode: fc.constantFrom(...modeNames),
        dtype: fc.constantFrom(...dtypes),
        chips: count,
        microBatch: count,
        globalBatch: count,
        gradientAccumulation: count,
        sequenceLength: fc.constantFrom(128, 1024, 2048, 65536, 0, 1e300),
        sequenceParallel: count,
        ratio: fc.oneof(fc.double(), fc.constant(null)),
        activationCheckpointing: fc.boolean(),
        workload: fc.constantFrom('builtin', 'megatron'),
      },
      { requiredKeys: [] },
    ),
    model: fc.record(
      { name: names, layers: count, hidden: fc.constantFrom(64, 2048, 3, 1e12), heads: count },
      { requiredKeys: [] },
    ),
    class: fc.option(fc.constantFrom(...outcomeClasses), { nil: undefined }),
    speed: fc.option(number, { nil: undefined }),
    medianMs: fc.option(number, { nil: undefined }),
    accelerator: fc.constantFrom('cuda' as const, 'cuda' as const, 'cuda' as const, 'cpu' as const),
    // Every machine is a figure: few records are of another one.
    system: fc.oneof(
      { weight: 5, arbitrary: fc.constant({}) },
      fc.record(
        { name: names, title: names, gpuName: names, chipsPerNode: fc.constantFrom(1, 2, 4) },
        { requiredKeys: [] },
      ),
    ),
    second: fc.integer({ min: 0, max: 59 }),
  })
  .map(({ record, subject, model, class: outcome, speed, medianMs, accelerator, system, second }) => {
    const { statistics, throughput } = record;
    const testCase = { ...record.case!, ...subject };
    return {
      ...record,
      case: { ...testCase, model: { ...testCase.model, ...model } },
      runId: record.runId.replace(/\d{2}Z-/, `${String(second).padStart(2, '0')}Z-`),
      outcome: { ...record.outcome, class: outcome ?? record.outcome.class },
      throughput:
        speed === undefined
          ? throughput
          : { ...throughput, modelTflopsPerGpu: speed, mfu: speed, tokensPerSecond: speed },
      statistics: statistics === null || medianMs === undefined ? statistics : { ...statistics, medianMs },
      system: { ...record.system, ...system, accelerator: accelerator },
    };
  });

function expectSound(data: FigureData, records: readonly RunRecord[]): void {
  const ids = new Set(records.map(({ runId }) => runId));
  const places = new Set(data.panels.flatMap(({ key, x }) => x.map((place) => JSON.stringify([key, place]))));
  const series = new Set(data.series.map(({ key }) => key));
  const keys = data.marks.map(({ panel, series: of, x, source }) => JSON.stringify([panel, of, x, source]));
  expect(new Set(keys).size).toBe(keys.length);
  // A matcher for each of thousands of marks would take longer than the figures do.
  const isSound = (mark: Mark): boolean =>
    places.has(JSON.stringify([mark.panel, mark.x])) &&
    series.has(mark.series) &&
    (mark.state === 'value') === (mark.value !== null) &&
    (mark.value === null || (Number.isFinite(mark.value) && mark.value >= 0)) &&
    (mark.low === null) === (mark.high === null) &&
    (mark.low === null || (mark.low <= (mark.value ?? -1) && (mark.value ?? -1) <= (mark.high ?? -1))) &&
    mark.runIds.every((id) => ids.has(id)) &&
    (mark.source === 'measured' || mark.runIds.length === 0);
  expect(data.marks.filter((mark) => !isSound(mark))).toEqual([]);
  if (data.functional) expect(data.marks.every(({ source }) => source === 'measured')).toBe(true);
  // Plain data, and nothing in it that a terminal or a page would obey unseen.
  expect(JSON.parse(JSON.stringify(data))).toEqual(data);

  expect(JSON.stringify(data)).not.toMatch(/\\u00[01]|\\n|[\u007f-\u009f\u202a-\u202e]/);
  expect(data.system.name).toMatch(/^[a-z0-9][a-z0-9.-]*$/);
}

describe('any records', () => {
  it('give figures of finite marks, each cell once a source, on axes that are there', () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord, { minLength: 1, maxLength: 15 }),
        fc.constantFrom(...figureNumbers),
        (records, figure) => {
          for (const system of figureSystems(records)) {
            const data = buildFigure(inputsOf(figure, system));
            if (data !== null) expectSound(data, records);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('are all of one machine each, and every run has one', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 30 }), (records) => {
        const machines = figureSystems(records);
        expect(machines.flatMap((machine) => machine.records)).toHaveLength(records.length);
        expect(new Set(machines.map(({ name }) => name)).size).toBe(machines.length);
      }),
    );
  });
});
