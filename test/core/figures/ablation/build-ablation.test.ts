import { describe, expect, it } from 'vitest';
import { ablationCsv, ablationMarkdown } from '../../../../src/core/figures/ablation/ablation-text.ts';
import type { AblationData, AblationRow } from '../../../../src/core/figures/ablation/ablation-data.ts';
import { buildAblation } from '../../../../src/core/figures/ablation/build-ablation.ts';
import { vegaLiteSpec } from '../../../../src/core/figures/render/page/spec.ts';
import { outside, overlaps, plainPicture } from '../render/page/picture-boxes.ts';
import { paper, profile } from '../scene-inputs.ts';
import { built, experiment, inputsOf, placeNamed, places, runsOf } from './ablation-sample.ts';

const [one, zero, table] = [/overlap.*one setting changed/, /parts of it/, /Table 2/];
const allOn = placeNamed('all on', one);
const rowNamed = ({ rows }: AblationData, title: string, group: RegExp): AblationRow => {
  const found = rows.find((row) => row.title === title && group.test(row.group));
  if (found === undefined) throw new Error(`no row ${title}`);
  return found;
};

describe('experiment/ablation.json', () => {
  it('names rows of Table 2 that the paper has, in its order, and no row of a group twice', () => {
    const published = places.flatMap(({ row }) => row.published ?? []);
    expect(published).toEqual(paper.table2.rows.map(({ adds }) => adds));
    const names = places.map(({ panel, row }) => `${panel} ${row.title}`);
    expect(new Set(names).size).toBe(names.length);
  });

  it('turns each setting of the overlap optimizer off alone', () => {
    const keys = places
      .filter(({ group }) => one.test(group))
      .map(({ subject }) => subject.deepspeedOverrides);
    expect(keys.every((each) => Object.keys(each).length <= 1)).toBe(true);
    expect(new Set(keys.flatMap((each) => Object.keys(each))).size).toBeGreaterThan(6);
  });

  it('says with the table of the paper what the paper printed', () => {
    expect(paper.table2.rows.map(({ value }) => value)).toEqual([116.2, 128.23, 144.49, 209.36, 238.92]);
    expect(experiment.cpu.rows?.some(({ mode }) => mode === 'prism')).toBe(false);
  });
});

describe('an ablation of runs', () => {
  it('takes runs of whatever experiment, and holds each against the first of its panel', () => {
    const records = runsOf([
      [allOn, 500],
      [placeNamed('without speculation', one), 750],
      [allOn, 502],
      [placeNamed('without speculation', one), 760],
    ]);
    const row = rowNamed(built(records), 'without speculation', one);
    expect(row.runIds).toHaveLength(2);
    expect(row.stepMs).toBeCloseTo(755.7, 0);
    expect(row.ratio?.value).toBeCloseTo(Math.sqrt((500 * 502) / (750 * 760)), 4);
    expect(row.ratio!.low).toBeLessThan(row.ratio!.value);
    expect(rowNamed(built(records), 'all on', one).ratio).toBeNull();
    expect(rowNamed(built(records), 'casts apart', one)).toMatchObject({
      state: 'not-run',
      tflops: null,
      runIds: [],
    });
  });

  it('has no ratio of launches that were not made together, and marks one that took more GPU memory', () => {
    const slow = placeNamed('+ both', zero);
    const base = placeNamed('as published', zero);
    const [first, second] = runsOf([
      [base, 1200],
      [slow, 900, { change: { memory: { gpuAllocatedGiB: 40 } as never } }],
    ]);
    const later = {
      ...second!,
      startedUtc: '2026-12-02T00:00:00.000Z',
      endedUtc: '2026-12-02T00:01:00.000Z',
    };
    const apart = rowNamed(built([first!, later]), '+ both', zero);
    expect(apart.ratio).toBeNull();
    expect(apart.notes).toEqual(['not launched together with the first']);
    const together = rowNamed(built([first!, second!]), '+ both', zero);
    expect(together.ratio?.value).toBeCloseTo(1200 / 900, 2);
    expect(together.notes.join()).toMatch(/^not fair: \d+% more GPU memory than the first$/);
  });

  it('holds a launch against the nearest of the first, not against the first of a session of hours', () => {
    const [base, slow] = [placeNamed('as published', zero), placeNamed('+ both', zero)];
    const drifting = runsOf([
      [base, 1500],
      [base, 1400],
      [base, 1000],
      [slow, 500],
      [base, 1000],
      [slow, 500],
    ]);
    const row = rowNamed(built(drifting), '+ both', zero);
    expect(row.ratio?.value).toBeCloseTo(2, 2);
    expect(row.ratio?.high).toBeLessThan(2.1);
  });

  it('holds no launch against one that failed, nor against one of another session, because it is the nearest', () => {
    const [base, slow] = [placeNamed('as published', zero), placeNamed('+ both', zero)];
    const launched = runsOf([
      [base, 1000],
      [base, 1000, { outcome: 'host_oom' }],
      [slow, 500],
    ]).map((record) => (record.outcome.class === 'host_oom' ? { ...record, statistics: null } : record));
    expect(rowNamed(built(launched), '+ both', zero).ratio?.value).toBeCloseTo(2, 2);

    const later = (minutes: number, record: (typeof launched)[number]) => ({
      ...record,
      startedUtc: new Date(Date.parse(record.startedUtc) + minutes * 60e3).toISOString(),
      endedUtc: new Date(Date.parse(record.endedUtc!) + minutes * 60e3).toISOString(),
    });
    // Two sessions: of the second alone is the ratio, and in it the drift before the row began is none of it.
    const days = runsOf([
      [base, 4000],
      [slow, 500],
      [slow, 500],
      [base, 3000],
      [base, 1000],
      [slow, 500],
      [base, 1000],
      [slow, 500],
    ]).map((record, index) => (index < 3 ? record : later(24 * 60, record)));
    const row = rowNamed(built(days), '+ both', zero);
    expect(row.ratio?.value).toBeCloseTo(2, 2);
  });

  it('says what ran out of memory, and does not average what differs', () => {
    const prism = placeNamed('as published', /one setting changed/);
    const records = runsOf([
      [allOn, 500],
      [prism, 3000, { outcome: 'host_oom' }],
      [allOn, 400, { subject: { ...allOn.subject, seed: 7 }, change: { stack: null } }],
    ]).map((record) => (record.outcome.class === 'host_oom' ? { ...record, statistics: null } : record));
    const data = built(records);
    expect(rowNamed(data, 'as published', /one setting changed/).state).toBe('oom');
    expect(rowNamed(data, 'all on', one).runIds).toHaveLength(1);
    expect(data.picture.footnotes.join('\n')).toMatch(/Left out: 1 run on another stack/);
  });

  it('predicts nothing of a setting that the model does not know', () => {
    const { rows } = built(runsOf([[allOn, 500]]));
    expect(rows.find(({ title }) => title === 'threads not bound')?.predicted).toBeNull();
    const clipped = placeNamed('clipping in every step', one);
    expect(
      rows.find((row) => row.title === 'clipping in every step' && row.group === clipped.group)?.predicted,
    ).toBeNull();
    const [pageable, registered] = ['pageable memory', 'all on'].map((name) =>
      rows.find(({ title }) => title === name),
    );
    expect(pageable!.predicted).toBeLessThan(registered!.predicted!);
    expect(
      rows.find(({ title, mode }) => title === 'as published' && mode === 'zero_offload')?.predicted,
    ).toBeGreaterThan(50);
  });
});

describe('the picture and the tables', () => {
  const records = runsOf(
    places.filter((_, index) => index % 4 !== 3).map((place, index) => [place, 500 + 90 * (index % 7)]),
  );

  it('cuts nothing, lays no text over another, and says what differs from the paper', async () => {
    const { picture } = built(records);
    const drawn = await plainPicture(vegaLiteSpec(picture));
    expect(drawn.warnings).toEqual([]);
    expect(outside(drawn, 8)).toEqual([]);
    expect(overlaps(drawn.boxes)).toEqual([]);
    const shown = drawn.boxes.map(({ name }) => name).join('\n');
    for (const text of [
      'Ablation: each setting on and off',
      'PCIe to the host; paper C2C',
      '239: 2.06x',
      'not run',
    ])
      expect(shown).toContain(text);
  });

  it('is drawn of prediction and paper where nobody ran anything, and is nothing without both', async () => {
    const system = profile('gh200');
    const data = buildAblation(inputsOf(records, { system }));
    expect(data!.picture.marks.some(({ source }) => source === 'measured')).toBe(false);
    const drawn = await plainPicture(vegaLiteSpec(data!.picture));
    expect([drawn.warnings, outside(drawn, 8), overlaps(drawn.boxes)]).toEqual([[], [], []]);
    expect(buildAblation(inputsOf(records, { system, showPaper: false, showPredicted: false }))).toBeNull();
  });

  it('keeps the title of a narrow last panel on the page', async () => {
    const few = [placeNamed('none: ZeRO-3 offload', table), placeNamed('as published', zero)];
    const { picture } = built(runsOf(few.map((place) => [place, 900])), {
      showPaper: false,
      showPredicted: false,
    });
    const panels = picture.panels.map((panel, index) => ({
      ...panel,
      x: panel.x.slice(0, index === 0 ? 6 : 2),
    }));
    const drawn = await plainPicture(vegaLiteSpec({ ...picture, panels }));
    expect(panels).toHaveLength(2);
    expect(outside(drawn, 8)).toEqual([]);
  });

  it('has the same numbers as Markdown and as CSV', () => {
    const data = built(records);
    const row = rowNamed(data, '+ casts in Adam', table);
    expect(ablationMarkdown(data)).toContain('\\+Superchip-aware casting: 144.5, 1.24x');
    const line = ablationCsv(data)
      .split('\n')
      .find((each) => each.includes('Superchip'));
    expect(line).toContain(row.tflops!.toPrecision(7));
    expect(line).toContain(row.runIds[0]);
  });
});
