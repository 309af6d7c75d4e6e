import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AblationData } from '../../../src/core/figures/ablation/ablation-data.ts';
import { drawAblation } from '../../../src/workflows/figure/ablation.ts';
import type { OwnFigureRequest, OwnFigures } from '../../../src/workflows/figure/own-figures.ts';
import { recordsFile } from '../../core/figures/scene-inputs.ts';
import { context, cwd } from '../throughput/plan-context.ts';

const run = { system: 'h200', stack: 'pip', flags: {}, repeat: 1 } as const;
const draw = (change: Partial<OwnFigureRequest> = {}): Promise<OwnFigures> =>
  drawAblation(context(), {
    ...{ from: [recordsFile], paper: true, formats: ['json'], out: 'out', dryRun: false },
    ...change,
  });
const dataOf = ({ figures: [first] }: OwnFigures): AblationData => first!.data as AblationData;
const refusal = (change: Partial<OwnFigureRequest>): Promise<string> =>
  draw(change).then(
    () => 'no refusal',
    (error: unknown) => `${(error as { code?: string }).code ?? 'bug'}: ${(error as Error).message}`,
  );

describe('superoffload figure ablation', () => {
  it('draws runs of other experiments that have a row’s settings, in every format', async () => {
    const formats = ['svg', 'json', 'csv', 'md', 'html'] as const;
    const drawn = await draw({ formats });
    const base = 'ablation-1x-nvidia-h200';
    const names = [...formats, 'vl.json'].map((end) => `${base}.${end}`);
    expect(readdirSync(join(cwd, 'out')).sort()).toEqual(names.sort());
    const [svg = '', json = '', csv = '', md = '', html = ''] = drawn.figures[0]!.files.map((file) =>
      readFileSync(file, 'utf8'),
    );
    expect(JSON.parse(json)).toEqual(drawn.figures[0]!.data);
    for (const text of [svg, csv, md, html]) expect(text).toContain('casts in Adam');
    const published = dataOf(drawn).rows.filter(({ runIds }) => runIds.length > 0);
    expect(published.map(({ mode, title }) => `${mode} ${title}`)).toEqual(
      expect.arrayContaining(['zero_offload as published', 'prism as published']),
    );
    expect(drawn.figures[0]!.head).toMatch(
      /^Ablation on 1 x NVIDIA H200: \d of 30 settings run, \d+ predicted, 5 of the paper$/,
    );
  });

  it('leaves out what was published and what is predicted where nobody wants it', async () => {
    const { marks } = dataOf(await draw({ paper: false, predicted: false })).picture;
    expect(new Set(marks.map(({ source }) => source))).toEqual(new Set(['measured']));
  });

  it('draws the paper’s machine where nothing was run, and says which command makes runs', async () => {
    const { figures, notes } = await draw({ from: [] });
    expect((figures[0]!.data as AblationData).picture.system.name).toBe('gh200');
    expect(notes.join()).toContain('to make runs: superoffload figure ablation --run');
    expect(await refusal({ from: [], paper: false, predicted: false })).toMatch(
      /^environment: figure ablation: there is nothing to draw/,
    );
  });

  it('with --run says what it would run, row by row, and starts nothing in a dry run', async () => {
    const { runs } = await draw({ from: [], run, dryRun: true });
    const [{ campaign, missing, exitCode }] = runs as [NonNullable<OwnFigures['runs']>[number]];
    expect([campaign, exitCode]).toEqual(['figure-ablation-1chip', 0]);
    // Rows that stand in two groups are one run.
    expect(missing.length).toBeGreaterThan(20);
    expect(missing.filter((title) => title.includes('prism_overlap')).length).toBeGreaterThan(10);
    expect(new Set(missing).size).toBe(missing.length);
    expect(missing.join('\n')).toMatch(/prism_overlap, 2B, .*, superoffload\.fused_casts=false$/m);
    const only = await draw({ from: [], run: { ...run, flags: { modes: ['zero_offload'] } }, dryRun: true });
    expect(only.runs?.[0]?.missing).toHaveLength(5);
  });

  it('with --run --row runs rows by words of their title, and says how long that takes', async () => {
    const runs = async (...rows: string[]) =>
      (await draw({ from: [], run: { ...run, rows }, dryRun: true })).runs?.[0];
    const some = await runs('casts apart', 'ALL ON');
    expect(some?.missing).toHaveLength(2);
    expect((some?.expectedMs ?? 0) / 1000).toBeGreaterThan(2 * 15);
    expect((some?.expectedMs ?? 0) / 1000).toBeLessThan(2 * 45);
    expect((await runs('zero-offload with parts'))?.missing).toHaveLength(5);
    expect(await refusal({ from: [], run: { ...run, rows: ['nosuch'] }, dryRun: true })).toMatch(
      /^usage: --row "nosuch": no row has these words \(expected none: ZeRO-3 offload, .*casts apart/s,
    );
  });

  it('with --run --row refuses words that say nothing, and rows that the other flags leave out', async () => {
    const refused = (change: object) => refusal({ from: [], run: { ...run, ...change }, dryRun: true });
    expect(await refused({ rows: [' '] })).toMatch(/^usage: --row " ": no row has these words/);
    expect(await refused({ rows: ['none: zero-3'], flags: { models: ['2B'] } })).toBe(
      'usage: --row "none: zero-3": no row of what the other flags choose has these words',
    );
  });

  it('fits in calls of nine minutes on an H200, as docs/figures.md has them', async () => {
    const parts = [{ models: ['5B'] }, { modes: ['prism_overlap'], models: ['2B'] }, { modes: ['prism'] }, { modes: ['zero_offload'] }]; // prettier-ignore
    for (const flags of parts) {
      const drawn = await draw({ from: [], run: { ...run, flags }, dryRun: true });
      expect(drawn.runs?.[0]?.missing.length, JSON.stringify(flags)).toBeGreaterThan(4);
      expect(drawn.runs?.[0]?.expectedMs ?? Infinity, JSON.stringify(flags)).toBeLessThan(440_000);
    }
  });

  it('refuses to run what it would not draw', async () => {
    expect(await refusal({ run })).toMatch(/^usage: .*what --run measures would not be drawn/s);
    expect(await refusal({ from: [], run: { ...run, flags: { modes: ['ddp'] } }, dryRun: true })).toMatch(
      /no row of ablation has it/,
    );
  });
});
