import { describe, expect, it } from 'vitest';
import type { Case } from '../../../src/core/experiment/case.ts';
import { predictCase } from '../../../src/core/model/predict.ts';
import { shapesBelow, shapesBetween } from '../../../src/core/search/between.ts';
import { runGiven, searchFrontiers, type FrontierPlan } from '../../../src/workflows/frontier/frontier.ts';
import { givenExitCode, reportRow, searchExitCode } from '../../../src/workflows/frontier/report.ts';
import { sampleCase } from '../../core/sample-case.ts';
import { sampleSystem } from '../../core/sample-plan.ts';
import { contextOf, shellPlanning, type Ending } from './shell-planning.ts';

const layersOf = (layers: number): Case =>
  sampleCase({
    steps: 3,
    microBatch: 1,
    globalBatch: 1,
    model: { ...sampleCase().model, name: `${layers} layers`, layers },
  });
const sizes = [10, 20, 30, 40, 50, 60, 70, 80].map(layersOf);

/** A search over sizes by layers, of a machine that holds up to `most`. */
function planOf(
  endOf: (subject: Case) => Ending,
  change: Partial<FrontierPlan> = {},
  hash?: string,
): FrontierPlan {
  return {
    planning: shellPlanning(endOf, hash),
    searches: [{ mode: 'zero_offload', cases: sizes }],
    skipped: [],
    isGiven: false,
    resumes: true,
    between: null,
    nameOf: ({ model }) => model.name,
    predict: (subject) => predictCase(subject, sampleSystem({ hostGiB: 100, hostGiBPerChip: 100 })),
    notes: [],
    ...change,
  };
}
const upTo =
  (most: number) =>
  (subject: Case): Ending =>
    subject.model.layers <= most ? 'runs' : 'host';
const byLayers: FrontierPlan['between'] = (ran, failed) =>
  (ran === null
    ? shapesBelow(failed.model, 1)
    : shapesBetween(ran.model, failed.model, { step: 1, sequenceLength: failed.sequenceLength })
  ).map((model) => ({ ...failed, model }));

describe('a search on real processes', () => {
  it('finds the edge and of what, with peaks against capacity', async () => {
    const { context } = contextOf();
    const plan = planOf(upTo(50));
    const [row] = await searchFrontiers(context, plan);
    if (row === undefined) throw new Error('one row a search');
    expect(row).toMatchObject({ confirmed: true, stopped: null, stored: 0 });
    const report = reportRow(plan, row);
    expect(report.largestRan).toMatchObject({
      name: '50 layers',
      verdict: 'ran',
      gpuCapacityGiB: 139,
      hostCapacityGiB: 100,
    });
    expect(report.smallestFailed).toMatchObject({ name: '60 layers', verdict: 'host' });
    expect(row.launches).toBeLessThanOrEqual(5);
    expect(report.runs).toHaveLength(row.launches);
    expect(searchExitCode(plan, [row])).toBe(0);
  });

  it('goes on from stored runs after an interruption, and ends as it would have', async () => {
    const { context: quiet } = contextOf();
    const whole = (await searchFrontiers(quiet, planOf(upTo(20))))[0];
    const stop = new AbortController();
    const { context, events } = contextOf(stop.signal);
    const stopping = {
      ...context,
      emit: (event: (typeof events)[number]): void => {
        context.emit(event);
        const ended = events.filter(({ type }) => type === 'run-ended').length;
        if (event.type === 'run-started' && ended === 2) stop.abort(new Error('stopped'));
      },
    };
    await expect(searchFrontiers(stopping, planOf(upTo(20)))).rejects.toThrow('stopped');
    const resumed = (
      await searchFrontiers({ ...context, signal: new AbortController().signal }, planOf(upTo(20)))
    )[0];
    expect(resumed?.stored).toBe(2);
    expect((resumed?.launches ?? 0) + 2).toBe(whole?.launches);
    expect(resumed?.largestRan?.name).toBe('20 layers');
  });

  it('counts what is stored only for the same stack, and not at all where all is to be new', async () => {
    const { context } = contextOf();
    const first = (await searchFrontiers(context, planOf(upTo(50))))[0];
    const again = (await searchFrontiers(context, planOf(upTo(50))))[0];
    expect(again).toMatchObject({ launches: 0, stored: first?.launches });
    const other = (await searchFrontiers(context, planOf(upTo(50), {}, 'def456')))[0];
    expect(other).toMatchObject({ launches: first?.launches, stored: 0 });
    const fresh = (await searchFrontiers(context, planOf(upTo(50), { resumes: false })))[0];
    expect(fresh).toMatchObject({ launches: first?.launches, stored: 0 });
  });

  it('goes on by layers between the two sizes, and repeats only the last edge', async () => {
    const { context } = contextOf();
    const [row] = await searchFrontiers(context, planOf(upTo(53), { between: byLayers }));
    expect(row?.largestRan?.case.model).toMatchObject({ name: '53x2048', layers: 53 });
    expect(row?.smallestFailed).toMatchObject({ name: '54x2048', wall: 'host' });
    const names = row?.probes.map(({ subject }) => subject.model.name) ?? [];
    const repeated = names.filter((name, index) => names.indexOf(name) !== index);
    expect(repeated).toEqual(['54x2048']);
  });

  it('finds the size itself where no layer between failed, and a part of the smallest where no size ran', async () => {
    const { context } = contextOf();
    const [whole] = await searchFrontiers(context, planOf(upTo(59), { between: byLayers }));
    expect([whole?.largestRan?.name, whole?.smallestFailed?.name]).toEqual(['59x2048', '60 layers']);
    const [part] = await searchFrontiers(context, planOf(upTo(7), { between: byLayers }, 'def456'));
    expect([part?.largestRan?.name, part?.smallestFailed?.name]).toEqual(['7x2048', '8x2048']);
    const [none] = await searchFrontiers(context, planOf(upTo(50), { between: byLayers, resumes: false }));
    expect([none?.largestRan?.name, none?.smallestFailed?.name]).toEqual(['50 layers', '51x2048']);
  });

  it('goes on above a size that failed once and ran in its repeat', async () => {
    const { context } = contextOf();
    let isFirst = true;
    // Somebody else had the memory: 50 layers fail once, and the wall is at 60.
    const endOf = (subject: Case): Ending => {
      if (subject.model.layers !== 50 || !isFirst) return upTo(60)(subject);
      isFirst = false;
      return 'host';
    };
    const predict = (subject: Case) =>
      predictCase(subject, sampleSystem({ hostGiB: 60, hostGiBPerChip: 60 }));
    const [row] = await searchFrontiers(context, planOf(endOf, { between: byLayers, predict }));
    expect(row?.contradicted).toEqual(['50 layers']);
    expect([row?.largestRan?.name, row?.smallestFailed?.name]).toEqual(['60 layers', '61x2048']);
    expect(row?.confirmed).toBe(true);
    expect(row?.launches).toBe(row?.probes.length);
  });

  it('a crash stops the mode with its reason, and the next one is searched', async () => {
    const { context } = contextOf();
    const other = sizes.map((subject): Case => ({ ...subject, mode: 'ddp' }));
    const plan = planOf((subject) => (subject.mode === 'ddp' ? upTo(50)(subject) : 'crash'), {
      searches: [
        { mode: 'zero_offload', cases: sizes },
        { mode: 'ddp', cases: other },
      ],
    });
    const rows = await searchFrontiers(context, plan);
    expect(rows[0]).toMatchObject({ largestRan: null, smallestFailed: null, launches: 1 });
    expect(rows[0]?.stopped).toMatch(/^crash: /);
    expect(rows[1]).toMatchObject({ stopped: null, largestRan: { name: '50 layers' } });
    expect(searchExitCode(plan, rows)).toBe(4);
  });
});

describe('sizes that were given', () => {
  it('are each launched; memory that ran out is a failure only of the one that was asked for', async () => {
    const { context } = contextOf();
    const plan = planOf(upTo(50), { isGiven: true });
    const two = {
      ...plan,
      searches: [{ mode: 'zero_offload' as const, cases: [layersOf(40), layersOf(60)] }],
    };
    const probes = await runGiven(context, two);
    expect(probes.map(({ record }) => record.outcome.class)).toEqual(['ok', 'host_oom']);
    expect(givenExitCode(two, probes)).toBe(0);
    expect(givenExitCode(plan, probes.slice(1))).toBe(4);
    expect(givenExitCode(plan, probes.slice(0, 1))).toBe(0);
  });
});
