import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { drawPng, drawSvg } from '../../src/adapters/figure.ts';
import { vegaLiteSpec } from '../../src/core/figures/render/page/spec.ts';
import { plainPicture } from '../core/figures/render/page/picture-boxes.ts';
import { sampleFigure10 } from '../core/figures/sample-figure.ts';
import { samples } from '../core/figures/sample-oddities.ts';

const root = join(import.meta.dirname, '../..');
const golden = join(root, 'test/golden/figures');

/** What another process does: two pictures, the second is what is asked for. */
const drawing = `
  import { createHash } from 'node:crypto';
  const { drawPng, drawSvg } = await import('./src/adapters/figure.ts');
  const { vegaLiteSpec } = await import('./src/core/figures/render/page/spec.ts');
  const { samples } = await import('./test/core/figures/sample-oddities.ts');
  await drawSvg(vegaLiteSpec(samples['nine-lines']()));
  const svg = await drawSvg(vegaLiteSpec(samples['figure-10']()));
  const digest = (content) => createHash('sha256').update(content).digest('hex');
  process.stdout.write(JSON.stringify({ svg: digest(svg), png: digest(await drawPng(svg)) }));
`;

/** Without the font, which is a file of its own in the repository. */
const withoutFont = (svg: string): string => svg.replace(/<style>.*?<\/style>/, '');

describe('the SVG of a figure', () => {
  it.each(['figure-10', 'figure-11', 'figure-12', 'figure-13'])(
    'is test/golden/figures/%s.svg (UPDATE_GOLDEN=1 writes it)',
    async (name) => {
      const svg = withoutFont(await drawSvg(vegaLiteSpec(samples[name]!())));
      const lines = `${svg.replaceAll('><', '>\n<')}\n`;
      const path = join(golden, `${name}.svg`);
      if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(path, lines);
      expect(lines).toBe(readFileSync(path, 'utf8'));
    },
  );

  it('is what plain Vega-Lite and Vega make of the written specification', async () => {
    const spec = vegaLiteSpec(sampleFigure10());
    const ours = (await drawSvg(spec)).replace(/ role="img">.*?<\/style>/, '>');
    expect(ours).toBe((await plainPicture(spec)).svg);
  });

  it('carries its font, its size, and words for who does not see it', async () => {
    const svg = await drawSvg(vegaLiteSpec(sampleFigure10()));
    expect(svg).toMatch(/^<svg [^>]*width="\d+" height="\d+" viewBox="[^"]+"[^>]* role="img"><title>Figure 10: Throughput on one chip<\/title><desc>Figure 10/); // prettier-ignore
    expect(svg).toContain('font-family="Inter, ');
    const [, font = ''] = /url\(data:font\/woff2;base64,([A-Za-z0-9+/=]+)\)/.exec(svg) ?? [];
    expect(Buffer.from(font, 'base64').toString('latin1', 0, 4)).toBe('wOF2');
    expect(svg.length).toBeLessThan(120_000);
  });

  it.each(['hostile', 'hostile-lines'])('has no script, no foreign object, no link: %s', async (name) => {
    const svg = await drawSvg(vegaLiteSpec(samples[name]!()));
    expect(svg).not.toMatch(/<(?:script|foreignObject|image|img|a|use|iframe)\b/i);
    // In a tag, not in a text: there it is what somebody called a run.
    expect(svg.match(/<[^>]*\s(?:on\w+|href|xlink:href)\s*=/gi)).toBeNull();
    expect(svg.match(/<\/svg>/g)).toHaveLength(1);
    expect(svg).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');

    expect(svg).not.toMatch(/[\u0000-\u0008\u000b-\u001f\ufffe\uffff]|\p{Surrogate}/u);
    // A reader of XML that forgives nothing.
    expect((await drawPng(svg)).length).toBeGreaterThan(10_000);
  });

  it('fetches nothing, whatever the specification asks for', async () => {
    const spec = { data: { url: 'file:///etc/passwd' }, mark: 'point', encoding: {} };
    await expect(drawSvg(spec)).resolves.not.toContain('root:');
  });

  it('is the same in another process, another time zone and language, whatever was drawn before', async () => {
    const other = JSON.parse(
      execFileSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', drawing], {
        cwd: root,
        encoding: 'utf8',
        env: { ...process.env, TZ: 'Asia/Kolkata', LANG: 'de_DE.UTF-8', LC_ALL: 'de_DE.UTF-8' },
      }),
    ) as { svg: string; png: string };
    const svg = await drawSvg(vegaLiteSpec(sampleFigure10()));
    const digest = (content: string | Uint8Array): string =>
      createHash('sha256').update(content).digest('hex');
    expect(other).toEqual({ svg: digest(svg), png: digest(await drawPng(svg)) });
  });

  it('takes well under a second', async () => {
    await drawSvg(vegaLiteSpec(sampleFigure10()));
    const start = performance.now();
    await drawSvg(vegaLiteSpec(samples['nine-series']!()));
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

/** Where other marks stand is seen in the scenegraph of every sample (test/core/figures/render/page/spec.test.ts). */
const pictures = ['figure-10', 'figure-12', 'no-panel'];

describe('the PNG of a figure', () => {
  afterEach(() => {
    vi.doUnmock('@resvg/resvg-js');
    vi.resetModules();
  });

  it.each(pictures)('%s: twice the size, with ink, and a white frame around all of it', async (name) => {
    const svg = await drawSvg(vegaLiteSpec(samples[name]!()));
    const { width, height, pixels } = decoded(Buffer.from(await drawPng(svg)));
    const [w = 0, h = 0] = /width="(\d+)" height="(\d+)"/.exec(svg)?.slice(1).map(Number) ?? [];
    expect([width, height]).toEqual([2 * w, 2 * h]);
    const isInk = (x: number, y: number): boolean => pixels.readUInt32BE(4 * (y * width + x)) !== 0xffffffff;
    let inside = 0;
    const frame = 12;
    const cut: string[] = [];
    for (let y = 0; y < height; y += 1)
      for (let x = 0; x < width; x += 1) {
        if (!isInk(x, y)) continue;
        if (x < frame || y < frame || x >= width - frame || y >= height - frame) cut.push(`${x},${y}`);
        else inside += 1;
      }
    expect(cut).toEqual([]);
    expect(inside / (width * height)).toBeGreaterThan(0.005);
  });

  it('draws text with the shipped font alone', async () => {
    const text = '<svg xmlns="http://www.w3.org/2000/svg" width="80" height="20"><text y="15" font-family="Inter">OOM GPU</text></svg>'; // prettier-ignore
    const inked = decoded(Buffer.from(await drawPng(text))).pixels.some(
      (value, i) => i % 4 === 3 && value > 0,
    );
    expect(inked).toBe(true);
  });

  it('says what is missing where resvg is not installed, and what to do', async () => {
    vi.resetModules();
    vi.doMock('@resvg/resvg-js', () => {
      throw new Error("Cannot find module '@resvg/resvg-js-linux-x64-gnu'");
    });
    const { drawPng: drawn } = await import('../../src/adapters/figure.ts');
    await expect(drawn('<svg/>')).rejects.toMatchObject({
      code: 'environment',
      message: expect.stringContaining('@resvg/resvg-js') as string,
      hint: expect.stringContaining('--formats') as string,
    });
  });
});

/** PNG, 8 bits RGBA, not interlaced: RFC 2083. */
function decoded(png: Buffer): { width: number; height: number; pixels: Buffer } {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  expect([...png.subarray(24, 29)]).toEqual([8, 6, 0, 0, 0]);
  const parts: Buffer[] = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at))
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at))); // prettier-ignore
  const raw = inflateSync(Buffer.concat(parts));
  const stride = 4 * width;
  const pixels = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (stride + 1)] ?? 0;
    for (let i = 0; i < stride; i += 1) {
      const left = i < 4 ? 0 : (pixels[y * stride + i - 4] ?? 0);
      const up = y === 0 ? 0 : (pixels[(y - 1) * stride + i] ?? 0);
      const corner = i < 4 || y === 0 ? 0 : (pixels[(y - 1) * stride + i - 4] ?? 0);
      const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter] ?? 0;
      pixels[y * stride + i] = ((raw[y * (stride + 1) + 1 + i] ?? 0) + guess) & 255;
    }
  }
  return { width, height, pixels };
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}
