import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { drawSvg } from '../../../../../src/adapters/figure.ts';
import { buildTimeline } from '../../../../../src/core/figures/timeline/build-timeline.ts';
import type { Note, NoteName } from '../../../../../src/core/figures/timeline/timeline-file.ts';
import { pictureRuns } from '../../../../../src/core/figures/timeline/choose-runs.ts';
import { readLimits } from '../../../../../src/core/figures/timeline/rates.ts';
import type { TimelineData } from '../../../../../src/core/figures/timeline/timeline-data.ts';
import { kindColours } from '../../../../../src/core/figures/render/timeline/lane-colours.ts';
import { timelineHtml } from '../../../../../src/core/figures/render/timeline/timeline-html.ts';
import { timelineSpec } from '../../../../../src/core/figures/render/timeline/timeline-spec.ts';
import { timelineCsv } from '../../../../../src/core/figures/render/timeline/timeline-csv.ts';
import { timelineMarkdown } from '../../../../../src/core/figures/render/timeline/timeline-text.ts';
import { measuredRuns } from '../../timeline/sample-timeline.ts';
import { contrastOnWhite, distance, eyes, lab, seen } from '../drawing/colour-vision.ts';
import { outside, overlaps, plainPicture, type Picture } from '../page/picture-boxes.ts';

const archive = measuredRuns();
const three = (): TimelineData => {
  const runs = (['published', 'zeroOffload', 'overlap'] as const).map(archive.run);
  const limits = readLimits(archive.json('limits.json'));
  return buildTimeline({ ...pictureRuns(runs, true)[0]!, limits, tool: '0.1.0' });
};
/** With all that the trainer notes besides; its times are made up. */
const noted = (): TimelineData => {
  const [published, zeroOffload] = (['published', 'zeroOffload'] as const).map(archive.run);
  const notes = (...all: readonly (readonly [NoteName, number, number])[]): Note[] =>
    all.map(([name, beginMs, endMs]) => ({ name, beginMs, endMs }));
  const besides = [
    notes(
      ...([['queue to worker', 400, 500], ['queue from worker', 631, 700], ['worker copy', 500, 559]] as const),
      ...([['parameters', 700, 760], ['gradient pass', 2090, 2200], ['parameters', 2200, 3300]] as const),
      ...([['wait for worker', 1700, 2088], ['wait for GPU', 160, 1650]] as const),
    ),
    notes(['parameters', 1013, 1166], ['wait for GPU', 100, 500]),
  ]; // prettier-ignore
  const runs = [published!, zeroOffload!].map((run, index) => ({
    ...run,
    timeline: { ...run.timeline, notes: besides[index]! },
  }));
  const limits = readLimits(archive.json('limits.json'));
  return buildTimeline({ ...pictureRuns(runs, true)[0]!, limits, tool: '0.1.0' });
};
const hostile = '<script>alert(1)</script>\u202e\u001b[31m ".,$' + 'W'.repeat(300);

const pictures: Readonly<Record<string, () => TimelineData>> = {
  'of three modes': three,
  'of one mode': () => ({ ...three(), rows: three().rows.slice(2) }),
  'of a worker, queues and waits': noted,
  'of CPUs with copies in host memory': () => ({ ...noted(), functional: true, rows: noted().rows.map((row) => ({ ...row, bounds: null, lanes: row.lanes.filter(({ key }) => !['gpu', 'down', 'up', 'idle'].includes(key)) })) }),
  'of nine modes': () => ({ ...three(), rows: Array.from({ length: 9 }, (_, i) => ({ ...three().rows[i % 3]!, title: `mode ${i}` })) }),
  'of a step without bounds': () => ({ ...three(), rows: three().rows.map((row) => ({ ...row, bounds: null })) }),
  'of CPUs': () => ({
    ...three(),
    functional: true,
    rows: three().rows.map((row) => ({ ...row, bounds: null, lanes: row.lanes.filter(({ key }) => key === 'host' || key === 'adam') })),
  }),
  'of a step of microseconds': () => ({ ...three(), axisMs: 0.0034, rows: three().rows.slice(2).map((row) => ({ ...row, stepMs: 0.003, bounds: null, lanes: [] })) }),
  'of hostile names': () => ({
    ...three(),
    ...{ title: hostile, conditions: [hostile], footnotes: [hostile, hostile], system: { name: 'x', title: hostile } },
    rows: three().rows.map((row) => ({ ...row, title: hostile })),
  }),
}; // prettier-ignore

const texts = ({ boxes }: Picture): string[] => boxes.filter(({ kind }) => kind === 'text').map(({ name }) => name); // prettier-ignore
const isVegaLite = new Ajv({
  strict: false,
  logger: false,
  formats: { 'color-hex': true, uri: true },
}).compile(createRequire(import.meta.url)('vega-lite/vega-lite-schema.json') as object);

describe.each(Object.keys(pictures))('the picture %s', (name) => {
  it('cuts nothing, lays no text over a text or a bar, and is plain Vega-Lite without a warning', async () => {
    const spec = timelineSpec(pictures[name]!());
    expect(isVegaLite(spec)).toBe(true);
    const picture = await plainPicture(spec);
    expect(picture.warnings).toEqual([]);
    expect(outside(picture, 8)).toEqual([]);
    expect(overlaps(picture.boxes)).toEqual([]);
  });
});

describe('the picture of timelines', () => {
  it('says each mode with its time, how far that is from its bound, and what the lanes come to', async () => {
    const shown = texts(await plainPicture(timelineSpec(three())));
    expect(shown).toEqual(
      expect.arrayContaining([
        ...['One optimizer step of 2B', 'SuperOffload (PRISM), ratio 0.9: 3398 ms', 'ZeRO-Offload: 1244 ms'],
        ...['forward 35.2, backward 177, step 334 ms', '4.24 GB at 54.4, pageable 8.48 at 13.6 GB/s'],
        ...['42%', 'milliseconds from the beginning of the step', 'copy, pageable (slow)'],
      ]),
    );
    expect(shown.filter((text) => /^[\d.]+ times its bound of \d+ ms/.test(text))).toHaveLength(3);
  });

  it('says what went through the queues, who waited, and the parts of all modes in the same words', async () => {
    const shown = texts(await plainPicture(timelineSpec(noted())));
    expect(shown).toEqual(
      expect.arrayContaining([
        ...['queues', 'worker copies', 'weights return', 'gradient passes', 'host waits'],
        ...['to the worker 100, back 69 ms', 'for the worker 388, for the GPU 1490 ms'],
      ]),
    );
    const text = timelineMarkdown(noted());
    for (const line of [
      '| gradient copies | 782 | 156 |',
      '| queues to the worker and back | 169 | \u2013 |',
      "| copies in the worker's process | 59 | \u2013 |",
      '| parameter return, with its casts | 1220 | 229 |',
    ])
      expect(text).toContain(line);
    expect(timelineCsv(noted())).toMatch(/,part,gradientCopies,781\.\d+,0\.23/);
    expect(timelineHtml(noted(), '')).toMatch(/>host waits for Adam or its worker\s*(<\/th>)?\s*<td>388/);
  });

  it('has bars as long as what they stand for, on one axis', async () => {
    const { boxes } = await plainPicture(timelineSpec(three()));
    const bars = boxes.filter(({ kind }) => kind === 'bar');
    const steps = bars.filter(({ y1, y2 }) => y2 - y1 > 60).map(({ x1, x2 }) => x2 - x1);
    expect(steps).toHaveLength(3);
    expect(steps[0]! / steps[2]!).toBeCloseTo(3397.5 / 550.8, 1);
  });

  it('is small, the same each time, and drawn in well under two seconds', async () => {
    await drawSvg(timelineSpec(three()));
    const start = performance.now();
    const svg = await drawSvg(timelineSpec(three()));
    expect(performance.now() - start).toBeLessThan(2000);
    expect(svg.length).toBeLessThan(160_000);
    expect(await drawSvg(timelineSpec(three()))).toBe(svg);
  });

  it('has nothing of a hostile name in it that a page, a terminal or a spreadsheet would obey', async () => {
    const data = pictures['of hostile names']!();
    const svg = await drawSvg(timelineSpec(data));
    const forms = [svg, timelineHtml(data, svg), timelineMarkdown(data), timelineCsv(data)];
    expect(forms.map((text) => /[\u0000-\u0008\u000b-\u001f\u007f\u202e]/.test(text))).toEqual(forms.map(() => false)); // prettier-ignore
    expect(forms.slice(0, 3).map((text) => text.includes('<script>'))).toEqual([false, false, false]);
  });

  it('as a page stands beside the same numbers', async () => {
    const page = timelineHtml(three(), await drawSvg(timelineSpec(three())));
    const cells = page.slice(page.indexOf('<tbody>')).split(/<[^>]+>/);
    expect(cells.map((cell) => cell.trim())).toEqual(
      expect.arrayContaining(['bound of the step, ms', '441 (80%), from 90.6 to 546']),
    );
    const [head = '', ...lines] = timelineCsv(three()).split('\n');
    expect(head).toMatch(/^run,mode,title,system,functional,iteration,step_ms,lane,kind,ms,/);
    expect(lines.some((line) => /^,prism,"[^"]+",1x-nvidia-h200,false,6,3397\.526,host,step,1743\./.test(line))).toBe(true); // prettier-ignore
  });
});

describe('the colours of the lanes', () => {
  it('of resources have a contrast of 3 and more, and pageable copies stand out from the others for every eye', () => {
    for (const [kind, colour] of Object.entries(kindColours))
      if (kind !== 'forward') expect(contrastOnWhite(colour), kind).toBeGreaterThan(2.9);
    for (const eye of Object.keys(eyes)) {
      const apart = distance(
        lab(seen(kindColours['pinned']!, eye)),
        lab(seen(kindColours['pageable']!, eye)),
      );
      expect(apart, eye).toBeGreaterThan(40);
    }
  });
});
