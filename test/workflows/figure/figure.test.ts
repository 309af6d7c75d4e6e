import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { FigureData } from '../../../src/core/figures/figure-data.ts';
import { drawFigures, type DrawRequest, type DrawResult } from '../../../src/workflows/figure/figure.ts';
import { checkedRequest } from '../../../src/workflows/figure/wanted-figures.ts';
import { recordsFile } from '../../core/figures/scene-inputs.ts';
import { context, cwd, nvidiaSmi, packageRoot } from '../throughput/plan-context.ts';

const draw = (change: Partial<DrawRequest> = {}): Promise<DrawResult> =>
  drawFigures(context(), {
    ...{ figures: [10], from: [recordsFile], paper: true, predicted: true, run: null },
    ...{ formats: ['json'], out: 'out', dryRun: false },
    ...change,
  });
const names = ({ figures }: DrawResult): string[] =>
  figures.flatMap(({ files }) => files.map((file) => file.slice(join(cwd, 'out').length + 1)));
const refusal = (change: Partial<DrawRequest>): Promise<string> =>
  draw(change).then(
    () => 'no refusal',
    (error: unknown) => `${(error as { code?: string }).code ?? 'bug'}: ${(error as Error).message}`,
  );

describe('superoffload figure', () => {
  it('writes what was asked for and the specification with the data, the same bytes each time', async () => {
    const formats = ['svg', 'png', 'json', 'csv', 'md', 'html'] as const;
    const first = await draw({ formats });
    const base = 'figure10-1x-nvidia-h200';
    expect(names(first)).toEqual([...formats.map((format) => `${base}.${format}`), `${base}.vl.json`]);
    const bytes = first.figures[0]!.files.map((file) => readFileSync(file));
    const again = await draw({ formats });
    expect(again.figures[0]!.files.map((file) => readFileSync(file))).toEqual(bytes);
    // Nothing else is left, no half of a file either.
    expect(readdirSync(join(cwd, 'out')).sort()).toEqual(names(first).sort());
    const spec = JSON.parse(bytes.at(-1)!.toString()) as {
      readonly usermeta: { readonly figure: FigureData };
    };
    expect(spec.usermeta.figure).toEqual(first.figures[0]!.data);
    expect(JSON.parse(bytes[2]!.toString())).toEqual(first.figures[0]!.data);
  });

  it('makes a picture of each machine that has runs of a figure, and mixes none', async () => {
    const all = await draw({ figures: [10, 11, 12, 13] });
    expect(all.figures.map(({ data: { figure, system } }) => `${figure} ${system.name}`)).toEqual([
      '10 1x-nvidia-h200',
      '11 2x-nvidia-h200',
      '12 2x-nvidia-h200',
      '13 1x-nvidia-h200',
    ]);
    const both = await draw({ figures: [11], system: 'local' });
    expect(both.figures.map(({ data }) => data.system.name)).toEqual(['1x-nvidia-h200', '2x-nvidia-h200']);
    expect(both.notes.join()).toMatch(
      /figure 11: no run on 1 x NVIDIA H200, .* superoffload campaign run throughput/,
    );
  });

  it('draws a named system without runs with prediction and paper, and says which command makes runs', async () => {
    const { figures, notes } = await draw({ figures: [13], system: 'gh200' });
    expect(figures.map(({ data }) => data.system.name)).toEqual(['gh200']);
    expect(figures[0]!.data.marks.some(({ source }) => source === 'measured')).toBe(false);
    expect(notes).toEqual([
      'figure 13: no run on GH200, one superchip, 480 GB, prediction and paper alone are drawn; to make runs there: superoffload model-size --chips 1 --system gh200',
      'figure 13: there are runs of --system 1x-nvidia-h200',
    ]);
  });

  it("without any run draws the paper's machine, or the GPUs that are here", async () => {
    expect((await draw({ from: [], figures: [11] })).notes[0]).toMatch(
      /no GPU here: drawn for gh200-nvl2, as in the paper/,
    );
    nvidiaSmi();
    const here = await draw({ from: [] });
    expect(here.figures.map(({ data }) => data.system.title)).toEqual(['4 x NVIDIA H200']);
  });

  it('reads records of every older version', async () => {
    const folder = join(packageRoot, 'test/fixtures/records');
    const from = readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .map((name) => join(folder, name));
    const { figures } = await draw({ from, figures: [10, 11, 12, 13] });
    const ran = figures.flatMap(({ data }) => data.marks.flatMap(({ runIds }) => runIds));
    expect(ran.length).toBeGreaterThan(2);
  });

  it('shows no name that a terminal, a page or a path would obey', async () => {
    const [line = ''] = readFileSync(recordsFile, 'utf8').split('\n');
    const record = JSON.parse(line) as { system: object; case: { model: object }; runId: string };
    const model = { ...record.case.model, name: '\u001b[31m<script>\u202e', layers: 7 };
    const system = { ...record.system, name: '../../etc/<b>', title: '\u001b]0;x\u0007<img src=x>\n' };
    writeFileSync(
      join(cwd, 'odd.json'),
      JSON.stringify({ ...record, system, case: { ...record.case, model } }),
    );
    const { figures } = await draw({ from: [join(cwd, 'odd.json')], formats: ['json', 'svg', 'html', 'md'] });
    for (const file of figures.flatMap((figure) => figure.files)) {
      expect(file.startsWith(join(cwd, 'out', 'figure10-etc-b.'))).toBe(true);
      const text = readFileSync(file, 'utf8');

      expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f\u202e]|\\u001b/);
      if (/\.(svg|html)$/.test(file)) expect(text).not.toMatch(/<img|<script>\ufffd|<b>/);
    }
  });

  it('puts no name that a record brought along into a command that people copy', async () => {
    const [line = ''] = readFileSync(recordsFile, 'utf8').split('\n');
    const record = JSON.parse(line) as { system: object };
    const system = { ...record.system, name: '$(touch x)', title: '' };
    writeFileSync(join(cwd, 'odd.json'), JSON.stringify({ ...record, system }));
    const { notes } = await draw({ from: [join(cwd, 'odd.json')], figures: [13], system: '$(touch x)' });
    expect(notes.join()).toMatch(/to make runs there: superoffload model-size --chips 1$/);
    const hint = await draw({
      from: [],
      figures: [10],
      system: 'gh200',
      paper: false,
      predicted: false,
    }).catch((error: unknown) => (error as { readonly hint: string }).hint);
    expect(hint).toBe(
      'to make the runs and draw them: superoffload figure 10 --run --system gh200\nor: superoffload campaign run throughput --filter chips=1 --system gh200',
    );
  });

  it('refuses what names nothing, with what there is', async () => {
    expect(await refusal({ system: 'gh2000' })).toBe(
      'usage: --system: there is no system "gh2000" (expected gh200)',
    );
    expect(await refusal({ from: ['nowhere.json'] })).toMatch(/^usage: .*nowhere\.json/);
    expect(await refusal({ from: [], paper: false, predicted: false })).toMatch(
      /^environment: figure 10: there is nothing to draw: no run, with --no-paper and --no-predicted/,
    );
    const run = { system: 'local', stack: 'pip', flags: {}, repeat: 1 };
    expect(await refusal({ run })).toMatch(/^usage: --from .*: what --run measures would not be drawn/);
    expect(existsSync(join(cwd, 'out'))).toBe(false);
  });

  it('refuses a folder that cannot be written, before anything is read or run', async () => {
    writeFileSync(join(cwd, 'file'), '');
    expect(await refusal({ out: 'file' })).toMatch(
      /^environment: --out .*file: a part of the path is not a folder/,
    );
    expect(await refusal({ out: 'file/below' })).toMatch(/is not a folder/);
    expect(await refusal({ out: '/proc/figures' })).toMatch(/it is not there and cannot be made/);
    expect(await refusal({ out: 'x'.repeat(300) })).toMatch(/too long/);
    const closed = join(cwd, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0o500);
    // Root may write anywhere.
    if (process.getuid?.() !== 0) expect(await refusal({ out: 'closed' })).toMatch(/permission denied/);
  });

  it('of a dry run names the files and writes none', async () => {
    const result = await draw({ dryRun: true, out: 'new/folder' });
    expect(result.figures[0]!.files.at(-1)).toBe(join(cwd, 'new/folder/figure10-1x-nvidia-h200.vl.json'));
    expect(existsSync(join(cwd, 'new'))).toBe(false);
  });
});

describe('the words of a request', () => {
  it('are figures and formats, each once and in order', () => {
    expect(checkedRequest('all', ['md', 'svg', 'svg'])).toEqual({
      wanted: { figures: [10, 11, 12, 13] },
      formats: ['svg', 'md'],
    });
    expect(checkedRequest('12', []).wanted).toEqual({ figures: [12] });
  });

  it.each(['14', '1', '', '10,11', 'ten', '\u001b[31m'])('%j is no figure', (word) => {
    expect(() => checkedRequest(word, [])).toThrow(
      /is no figure that can be drawn \(expected 10, 11, 12, 13, all, ablation or timeline\)/,
    );
  });

  it('are faulted all at once', () => {
    expect(() => checkedRequest('9', ['pdf', 'jsn'])).toThrow(
      'figure: "9" is no figure that can be drawn (expected 10, 11, 12, 13, all, ablation or timeline)\n' +
        '--formats: there is no format "pdf" (expected svg, png, json, csv, md, html)\n' +
        '--formats: there is no format "jsn" (expected json)',
    );
  });
});
