import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { vegaLiteSpec } from '../../../../../src/core/figures/render/page/spec.ts';
import { mark, sampleFigure10, sampleFigure12, sampleFigure13 } from '../../sample-figure.ts';
import { hostileText, sampleFunctional, sampleGrid, samples } from '../../sample-oddities.ts';
import { outside, overlaps, plainPicture, type Box, type Picture } from './picture-boxes.ts';

const require = createRequire(import.meta.url);
const isVegaLite = new Ajv({
  strict: false,
  logger: false,
  formats: { 'color-hex': true, uri: true },
}).compile(require('vega-lite/vega-lite-schema.json') as object);

const texts = ({ boxes }: Picture): string[] => boxes.filter(({ kind }) => kind === 'text').map(({ name }) => name); // prettier-ignore

describe.each(Object.entries(samples))('the picture %s', (_name, sample) => {
  it('cuts nothing, lays no text over a text, a bar or a symbol, and is drawn without a warning', async () => {
    const picture = await plainPicture(vegaLiteSpec(sample()));
    expect(picture.warnings).toEqual([]);
    expect(outside(picture, 8)).toEqual([]);
    expect(overlaps(picture.boxes)).toEqual([]);
    expect(texts(picture).length).toBeGreaterThan(4);
  });
});

describe('the check of a picture', () => {
  const box = (part: Partial<Box>): Box => ({
    kind: 'text',
    name: 'a',
    x1: 0,
    y1: 0,
    x2: 10,
    y2: 10,
    ...part,
  });

  it('finds a text over a text, over a bar, and what is cut', () => {
    expect(overlaps([box({}), box({ x1: 9, x2: 20 })])).toHaveLength(1);
    expect(overlaps([box({}), box({ kind: 'bar', y1: 8, y2: 30 })])).toHaveLength(1);
    expect(overlaps([box({}), box({ x1: 10, x2: 20 }), box({ kind: 'symbol', y1: 10, y2: 20 })])).toEqual([]);
    const picture = { width: 100, height: 50, warnings: [], svg: '' };
    expect(outside({ ...picture, boxes: [box({ x1: 95, x2: 101, y1: 20, y2: 30 })] }, 0)).toHaveLength(1);
    expect(outside({ ...picture, boxes: [box({ x1: 90, x2: 99, y1: 20, y2: 30 })] }, 0)).toEqual([]);
  });

  it('fails where a longer word than the layout knew stands in the specification', async () => {
    const spec = JSON.stringify(vegaLiteSpec(sampleFigure10())).replaceAll('"failed d"', '"failed, and much longer than it was"'); // prettier-ignore
    const picture = await plainPicture(JSON.parse(spec) as ReturnType<typeof vegaLiteSpec>);
    expect(texts(picture)).toContain('failed, and much longer than it was');
    const wider = JSON.stringify(vegaLiteSpec(sampleFigure10())).replaceAll('ZeRO-Offload', 'ZeRO-Offload with a name'); // prettier-ignore
    const broken = await plainPicture(JSON.parse(wider) as ReturnType<typeof vegaLiteSpec>);
    expect(overlaps(broken.boxes)).not.toEqual([]);
  });
});

describe('what the picture says', () => {
  it('the hardware, the differences, each source by its form, each memory by its name, and what nobody ran', async () => {
    const shown = texts(await plainPicture(vegaLiteSpec(sampleFigure10())));
    expect(shown).toContain('1 x NVIDIA H200 141 GB, PCIe Gen5, 16 cores, 180 GiB host memory');
    expect(shown.join(' ')).toContain('Not as in the paper: bf16; paper fp16 \u00b7 H200, PCIe; paper GH200');
    expect(shown).toEqual(
      expect.arrayContaining([
        ...['measured (whiskers: 95% between 3 launches)', 'predicted', 'paper, as published'],
        ...['OOM GPU', 'OOM host', 'OOM pinned', 'OOM shm', 'OOM', 'unsupported', 'failed d'],
        ...['1 chip, batch 8: not run', '20B', '25B'],
        'OOM: out of memory, of the GPU, the host, pinned host memory (pinned), /dev/shm (shm)',
        'not run: no run of it with these settings, this is not zero',
      ]),
    );
    expect(shown.find((text) => text.startsWith('(a)'))).toBe(
      '(a) 2 of 3 launches failed \u00b7 (b) accumulation 2 \u00b7 (c) recomputed \u00b7 (d) crash in the first step: illegal memory access',
    );
  });

  it('that runs on CPUs are functional, that a panel is not of the paper, and a number where a bar is too low', async () => {
    const shown = texts(await plainPicture(vegaLiteSpec(sampleFunctional())));
    expect(shown).toContain('Functional: measured on CPUs. It shows that it works, not how fast it is.');
    expect(shown).toContain('2 CPU ranks, batch 8 (not in the paper)');
    expect(shown).toContain('0.3');
    expect(shown).toContain('CPU ranks on 2 cores');
  });

  it('figure 13: the number on each bar, a bound as one, and the memory that ends it', async () => {
    const shown = texts(await plainPicture(vegaLiteSpec(sampleFigure13())));
    expect(shown).toEqual(expect.arrayContaining(['200', '\u2265 1.05 a', '3.61 (host) b', '94.7']));
    expect(shown).toContain('\u2265: at least; what runs above it is not known');
    expect(shown).toContain('(host): the memory that the next size lacks');
  });

  it('what nobody ran after what was run, lower, and a series that was not run in a line', async () => {
    const picture = await plainPicture(vegaLiteSpec(sampleFigure10()));
    const at = (text: string): Box => picture.boxes.find(({ name }) => name === text)!;
    expect(at('20B').y1).toBeGreaterThan(at('1 chip, batch 8: not run').y2);
    expect(at('1 chip, batch 8: not run').y1).toBeGreaterThan(at('2B').y2);
    // From one row of labels to the other there is less than the first plot is high for.
    expect(at('20B').y1 - at('2B').y1).toBeLessThan(at('2B').y1 - at('1 chip, batch 8').y2);
    expect(texts(picture).filter((text) => text.startsWith('Not run:'))).toEqual([]);
    const data = sampleFigure10();
    const ran = mark({
      panel: '1',
      series: 'prism',
      x: '20B',
      source: 'measured',
      state: 'value',
      value: 100,
    });
    const marks = data.marks.filter((each) => !(each.source === 'measured' && each.x === '20B' && each.series === 'prism')); // prettier-ignore
    const then = texts(await plainPicture(vegaLiteSpec({ ...data, marks: [...marks, ran] })));
    expect(then.filter((text) => text.startsWith('Not run:'))).toEqual([
      'Not run: DDP (ZeRO-0), ZeRO-Infinity (artifact), ZeRO-Offload at 20B',
    ]);
  });

  it('nothing between two points of a line with a gap', () => {
    const data = sampleFigure12();
    const x = ['16K', '32K', '64K'];
    const points = x.map(
      (at, i) =>
      mark({ panel: 'p', series: 'ulysses', x: at, source: 'measured', ...(i === 1 ? { state: 'not-run' } : { state: 'value', value: 10 }) }), // prettier-ignore
    );
    const panels = [{ ...data.panels[0]!, key: 'p', x }];
    const spec = JSON.stringify(vegaLiteSpec({ ...data, panels, marks: points }));
    const pieces = [...spec.matchAll(/"piece":(\d)/g)].map(([, piece]) => piece);
    expect(new Set(pieces).size).toBe(2);
  });

  it('a number that is not finite is no bar', async () => {
    const data = sampleGrid(1, 1);
    const marks = [Number.NaN, Number.POSITIVE_INFINITY, -3].map(
      (value, i) =>
      mark({ panel: 'p', series: 'ddp', x: '1B', source: (['measured', 'predicted', 'published'] as const)[i]!, state: 'value', value }), // prettier-ignore
    );
    const spec = vegaLiteSpec({ ...data, marks });
    const picture = await plainPicture(spec);
    expect(picture.boxes.filter(({ kind }) => kind === 'bar')).toEqual([]);
    expect(texts(picture).filter((text) => text === 'no number').length).toBeGreaterThan(0);
  });
});

describe('the specification', () => {
  it('carries the figure whole, and says what it is', () => {
    const data = sampleFigure10();
    const spec = vegaLiteSpec(data);
    expect(spec['usermeta']).toEqual({ tool: 'superoffload 0.1.0', title: 'Figure 10: Throughput on one chip', figure: data }); // prettier-ignore
    expect(spec['description']).toContain('Not as in the paper: bf16; paper fp16');
    expect(spec['$schema']).toBe('https://vega.github.io/schema/vega-lite/v6.json');
  });

  it.each(['figure-10', 'figure-12', 'hostile', 'no-panel'])(
    'is valid by the schema of Vega-Lite: %s',
    (name) => {
      const spec = JSON.parse(JSON.stringify(vegaLiteSpec(samples[name]!()))) as unknown;
      expect(isVegaLite(spec) ? [] : isVegaLite.errors).toEqual([]);
      expect(isVegaLite({ ...(spec as object), autosize: 'some' })).toBe(false);
    },
  );

  it('puts no text of others where an expression or a field name could stand', () => {
    const spec = JSON.stringify({
      ...vegaLiteSpec(samples['hostile']!()),
      usermeta: null,
      description: null,
    });
    const expressions = [
      ...spec.matchAll(/"(?:labelExpr|expr|signal|test|filter|calculate)":"((?:[^"\\]|\\.)*)"/g),
    ];
    expect(expressions.length).toBeGreaterThan(0);
    for (const [, text = ''] of expressions)
      expect(text).toMatch(/^[\d\s.e'?:=+-]*(datum\.value[\d\s.e'?:=+-]*)+$/);
    expect(spec).not.toMatch(/"(?:href|url)"/);
  });

  it('is the same for the same figure', () => {
    expect(JSON.stringify(vegaLiteSpec(sampleFigure10()))).toBe(
      JSON.stringify(vegaLiteSpec(sampleFigure10())),
    );
  });

  it('shows hostile text as text, without what nobody can see', async () => {
    const shown = texts(await plainPicture(vegaLiteSpec(samples['hostile']!()))).join('\n');
    expect(shown).toContain('<script>alert(1)</script>');
    expect(hostileText).toContain('\u001b');

    expect(shown).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u05d0-\u05ea]/);
  });
});
