import { join } from 'node:path';
import { writeTextAtomic } from '../../adapters/files.ts';
import type { FigureData } from '../../core/figures/figure-data.ts';
import type { VegaLiteSpec } from '../../core/figures/render/drawing/draw.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { asTask } from '../task.ts';
import type { FigureFormat } from './formats.ts';
import { requireOut } from '../require-out.ts';

/** A figure and its files, by absolute path. */
export interface WrittenFigure {
  readonly data: FigureData;
  readonly files: readonly string[];
}

/** Anything that can be written as every format: a figure of the paper, or one of this tool's own. */
export interface Drawable {
  /** For people, as a task: `figure 10, 1 x NVIDIA H200`. */
  readonly title: string;
  /** The files' name without the folder and the ending: `figure10-1x-nvidia-h200`. */
  readonly base: string;
  /** What its JSON is. */
  readonly data: object;
  readonly spec: () => Promise<VegaLiteSpec>;
  readonly csv: () => Promise<string>;
  readonly markdown: () => Promise<string>;
  /** @param svg the picture */
  readonly html: (svg: string) => Promise<string>;
}

interface WriteOptions {
  readonly formats: readonly FigureFormat[];
  /** Absolute. */
  readonly out: string;
  /** Nobody asked for PNG by name: it is left out where it cannot be drawn. */
  readonly mayLackPng: boolean;
}

/** A figure of {@link FigureData} as it is drawn; nothing of drawing is loaded before. */
export function drawableFigure(data: FigureData): Drawable {
  const texts = () => import('../../core/figures/render/text/text.ts');
  return {
    title: `figure ${data.figure}, ${data.system.title}`,
    base: `figure${data.figure}-${data.system.name}`,
    data,
    spec: async () => (await import('../../core/figures/render/page/spec.ts')).vegaLiteSpec(data),
    csv: async () => (await texts()).figureCsv(data),
    markdown: async () => (await texts()).figureMarkdown(data),
    html: async (svg) => (await import('../../core/figures/render/text/html.ts')).figureHtml(data, svg),
  };
}

/** The files of a figure: its Vega-Lite specification with the data always, and what was asked for. */
export function filesOf(
  { base }: Pick<Drawable, 'base'>,
  formats: readonly FigureFormat[],
  out: string,
): string[] {
  return [...formats, 'vl.json'].map((ending) => join(out, `${base}.${ending}`));
}

/**
 * Draws figures and writes them, each file whole or not at all.
 * @returns the files of each, in the order of the figures
 * @throws SuperOffloadError 'environment' where it cannot be written, or PNG cannot be drawn here.
 */
export async function writeFigures(
  context: Context,
  figures: readonly Drawable[],
  { formats, out, mayLackPng }: WriteOptions,
): Promise<(readonly string[])[]> {
  await requireOut(out, { make: true });
  let wanted = formats;
  const written: (readonly string[])[] = [];
  for (const figure of figures) {
    const { title } = figure;
    const files = await asTask(context, { id: title, title: `draw ${title}` }, () => {
      return writeFigure(figure, wanted, out).catch((error: unknown) => {
        if (!mayLackPng || !lacksPng(error)) throw error;
        context.emit({
          type: 'warning',
          message: error.message,
          ...(error.hint === undefined ? {} : { hint: error.hint }),
        });
        wanted = wanted.filter((format) => format !== 'png');
        return writeFigure(figure, wanted, out);
      });
    });
    written.push(files);
  }
  return written;
}

/** Drawing throws nothing else that is expected. */
function lacksPng(error: unknown): error is SuperOffloadError {
  return error instanceof SuperOffloadError && error.message.startsWith('cannot draw PNG');
}

async function writeFigure(
  figure: Drawable,
  formats: readonly FigureFormat[],
  out: string,
): Promise<readonly string[]> {
  const spec = await figure.spec();
  const needsPicture = formats.some((format) => format === 'svg' || format === 'png' || format === 'html');
  const svg = needsPicture ? await drawn(spec) : '';
  const contents: (string | Uint8Array)[] = [];
  for (const format of formats) contents.push(await contentOf(format, figure, svg));
  contents.push(`${JSON.stringify(spec, null, 2)}\n`);
  const files = filesOf(figure, formats, out);
  for (const [index, content] of contents.entries()) await writeTextAtomic(files[index] ?? '', content);
  return files;
}

async function drawn(spec: VegaLiteSpec): Promise<string> {
  const { drawSvg } = await import('../../adapters/figure.ts');
  return drawSvg(spec);
}

async function contentOf(format: FigureFormat, figure: Drawable, svg: string): Promise<string | Uint8Array> {
  switch (format) {
    case 'svg':
      return svg;
    case 'png':
      return (await import('../../adapters/figure.ts')).drawPng(svg);
    case 'json':
      return `${JSON.stringify(figure.data, null, 2)}\n`;
    case 'csv':
      return figure.csv();
    case 'md':
      return figure.markdown();
    case 'html':
      return figure.html(svg);
  }
}
