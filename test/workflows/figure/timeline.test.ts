import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TimelineData } from '../../../src/core/figures/timeline/timeline-data.ts';
import { drawTimeline } from '../../../src/workflows/figure/timeline/draw-timeline.ts';
import type { OwnFigureRequest, OwnFigures } from '../../../src/workflows/figure/own-figures.ts';
import { exportRuns } from '../../../src/workflows/archive/export-runs.ts';
import { measured, measuredRuns } from '../../core/figures/timeline/sample-timeline.ts';
import { context, cwd } from '../throughput/plan-context.ts';

const archive = measuredRuns();
const folderOf = (name: keyof typeof measured): string => join(archive.folder(), measured[name]);
const draw = (change: Partial<OwnFigureRequest> = {}): Promise<OwnFigures> =>
  drawTimeline(context(), { from: [], paper: true, formats: ['json'], out: 'out', dryRun: false, ...change });
const refusal = (change: Partial<OwnFigureRequest>): Promise<string> =>
  draw(change).then(
    () => 'no refusal',
    (error: unknown) => `${(error as { code?: string }).code ?? 'bug'}: ${(error as Error).message}`,
  );
const dataOf = ({ figures }: OwnFigures): TimelineData[] => figures.map(({ data }) => data as TimelineData);
const titles = (drawn: OwnFigures): string[][] =>
  dataOf(drawn).map(({ rows }) => rows.map(({ title, stepMs }) => `${title}: ${Math.round(stepMs)}`));

/** Runs of the archive as runs of this state folder. */
function stored(...names: (keyof typeof measured)[]): void {
  mkdirSync(join(cwd, 'home', 'runs'), { recursive: true });
  for (const name of names)
    cpSync(folderOf(name), join(cwd, 'home', 'runs', basename(measured[name])), { recursive: true });
}

describe('superoffload figure timeline', () => {
  it('draws what is named, in that order, and writes every format', async () => {
    const formats = ['svg', 'json', 'csv', 'md', 'html'] as const;
    const drawn = await draw({ from: [folderOf('published'), folderOf('overlap')], formats });
    expect(titles(drawn)).toEqual([
      ['SuperOffload (PRISM), ratio 0.9: 3398', 'SuperOffload (overlap), ratio 1: 551'],
    ]);
    const base = join(cwd, 'out', 'timeline-2b-1x-nvidia-h200');
    expect(drawn.figures[0]!.files).toEqual([...formats, 'vl.json'].map((ending) => `${base}.${ending}`));
    expect(JSON.parse(readFileSync(`${base}.json`, 'utf8'))).toEqual(drawn.figures[0]!.data);
    expect(drawn.figures[0]!.head).toMatch(/^One optimizer step of 2B on 1 x NVIDIA H200:\n {2}SuperOffload/);
    expect(drawn.notes).toEqual([]);
  });

  it('without a source draws the case that was traced last, the newest run of each mode', async () => {
    stored('zeroOffload', 'overlap');
    expect(titles(await draw({ dryRun: true }))).toEqual([
      ['ZeRO-Offload: 1244', 'SuperOffload (overlap), ratio 1: 551'],
    ]);
    stored('overlap5B');
    const [data] = dataOf(await draw({ dryRun: true }));
    expect(data).toMatchObject({ size: '5B' });
    expect(existsSync(join(cwd, 'out'))).toBe(false);
    expect(dataOf(await draw({ dryRun: true, from: ['runs'] })).map(({ size }) => size)).toEqual([
      '2B',
      '5B',
    ]);
  });

  it('reads an archive that carries timelines, beside a folder without a record', async () => {
    stored('zeroOffload', 'overlap');
    const file = join(cwd, 'two.tar.gz');
    const request = { sources: [], logs: false, figures: false, force: false, dryRun: false };
    const report = await exportRuns({ ...context(), env: process.env }, { ...request, archive: file });
    expect(report.runs.map(({ files }) => files)).toEqual([3, 3]);
    rmSync(join(cwd, 'home'), { recursive: true });
    expect(titles(await draw({ dryRun: true, from: [file, folderOf('published')] }))).toEqual([
      ['SuperOffload (PRISM), ratio 0.9: 3398', 'ZeRO-Offload: 1244', 'SuperOffload (overlap), ratio 1: 551'],
    ]);
  });

  it('takes measured limits, and refuses what is none', async () => {
    const from = [folderOf('overlap')];
    const limits = join(archive.folder(), 'limits.json');
    const [data] = dataOf(await draw({ dryRun: true, from, limits }));
    expect(data!.footnotes.join(' ')).toMatch(/by bench\/overlap_limits\.py with 16 threads/);
    expect(await refusal({ from, limits: 'nix.json' })).toBe('usage: --limits nix.json: there is no such file (expected what bench/overlap_limits.py prints on a machine with a GPU)'); // prettier-ignore
    expect(await refusal({ from, limits: join(folderOf('overlap'), 'record.json') })).toMatch(/it has no rates of CPU Adam and the link/); // prettier-ignore
  });

  it('says which run cannot be drawn and why, and how to record one', async () => {
    expect(await refusal({})).toMatch(/^environment: figure timeline: none of the runs has a timeline$/);
    stored('zeroOffload', 'overlap');
    const folder = join(cwd, 'home', 'runs', basename(measured.overlap));
    writeFileSync(join(folder, 'timeline.json'), '{"schemaVersion":3}');
    const drawn = await draw({ dryRun: true });
    expect(titles(drawn)).toEqual([['ZeRO-Offload: 1244']]);
    expect(drawn.notes.join()).toMatch(/run 2026\S+, timeline\.json: its schema version 3 is newer than 1/);
    writeFileSync(join(folder, 'timeline.json'), 'no JSON');
    expect((await draw({ dryRun: true })).notes.join()).toMatch(/timeline\.json/);
    rmSync(join(folder, 'timeline.json'));
    expect(await refusal({ from: [basename(measured.overlap)] })).toMatch(
      /run 2026\S+ has no timeline\.json/,
    );
    expect(await refusal({ system: 'gh200' })).toMatch(
      /no run of "gh200" has a timeline, but of 1x-nvidia-h200/,
    );
    expect(await refusal({ from: ['nothing'] })).toMatch(/^usage: /);
    expect(titles(await draw({ dryRun: true, system: 'local' }))).toHaveLength(1);
  });

  it('of a folder without a record needs its log', async () => {
    const bare = join(cwd, 'bare');
    cpSync(folderOf('published'), bare, { recursive: true });
    rmSync(join(bare, 'log'));
    expect(await refusal({ from: [bare] })).toMatch(
      /bare: a timeline without a record, and without output\.log or log/,
    );
    writeFileSync(join(bare, 'log'), 'hello\n');
    expect(await refusal({ from: [bare] })).toMatch(/bare: its log has no facts of the built-in trainer/);
  });
});
