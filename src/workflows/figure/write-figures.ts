import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder, writeTextAtomic } from '../../adapters/files.ts';
import type { FigureData } from '../../core/figures/figure-data.ts';
import type { VegaLiteSpec } from '../../core/figures/render/draw.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { asTask } from '../task.ts';
import type { FigureFormat } from './formats.ts';

/** A figure and its files, by absolute path. */
export interface WrittenFigure {
  readonly data: FigureData;
  readonly files: readonly string[];
}

interface WriteOptions {
  readonly formats: readonly FigureFormat[];
  /** Absolute. */
  readonly out: string;
  /** Nobody asked for PNG by name: it is left out where it cannot be drawn. */
  readonly mayLackPng: boolean;
}

/** The files of a figure: its Vega-Lite specification with the data always, and what was asked for. */
export function filesOf(
  { figure, system }: FigureData,
  formats: readonly FigureFormat[],
  out: string,
): string[] {
  const base = join(out, `figure${figure}-${system.name}`);
  return [...formats.map((format) => `${base}.${format}`), `${base}.vl.json`];
}

/**
 * Draws figures and writes them, each file whole or not at all.
 * @throws SuperOffloadError 'environment' where it cannot be written, or PNG cannot be drawn here.
 */
export async function writeFigures(
  context: Context,
  figures: readonly FigureData[],
  { formats, out, mayLackPng }: WriteOptions,
): Promise<WrittenFigure[]> {
  await requireOut(out, { make: true });
  let wanted = formats;
  const written: WrittenFigure[] = [];
  for (const data of figures) {
    const id = `figure ${data.figure}, ${data.system.title}`;
    const files = await asTask(context, { id, title: `draw ${id}` }, () => {
      return writeFigure(data, wanted, out).catch((error: unknown) => {
        if (!mayLackPng || !lacksPng(error)) throw error;
        context.emit({
          type: 'warning',
          message: error.message,
          ...(error.hint === undefined ? {} : { hint: error.hint }),
        });
        wanted = wanted.filter((format) => format !== 'png');
        return writeFigure(data, wanted, out);
      });
    });
    written.push({ data, files });
  }
  return written;
}

/** Drawing throws nothing else that is expected. */
function lacksPng(error: unknown): error is SuperOffloadError {
  return error instanceof SuperOffloadError && error.message.startsWith('cannot draw PNG');
}

async function writeFigure(
  data: FigureData,
  formats: readonly FigureFormat[],
  out: string,
): Promise<string[]> {
  const base = join(out, `figure${data.figure}-${data.system.name}`);
  const { vegaLiteSpec } = await import('../../core/figures/render/spec.ts');
  const spec = vegaLiteSpec(data);
  const needsPicture = formats.some((format) => format === 'svg' || format === 'png' || format === 'html');
  const svg = needsPicture ? await drawn(spec) : '';
  const contents: (readonly [path: string, content: string | Uint8Array])[] = [];
  for (const format of formats) contents.push([`${base}.${format}`, await contentOf(format, data, svg)]);
  contents.push([`${base}.vl.json`, `${JSON.stringify(spec, null, 2)}\n`]);
  for (const [path, content] of contents) await writeTextAtomic(path, content);
  return contents.map(([path]) => path);
}

async function drawn(spec: VegaLiteSpec): Promise<string> {
  const { drawSvg } = await import('../../adapters/figure.ts');
  return drawSvg(spec);
}

async function contentOf(format: FigureFormat, data: FigureData, svg: string): Promise<string | Uint8Array> {
  switch (format) {
    case 'svg':
      return svg;
    case 'png':
      return (await import('../../adapters/figure.ts')).drawPng(svg);
    case 'json':
      return `${JSON.stringify(data, null, 2)}\n`;
    case 'csv':
      return (await import('../../core/figures/render/text.ts')).figureCsv(data);
    case 'md':
      return (await import('../../core/figures/render/text.ts')).figureMarkdown(data);
    case 'html':
      return (await import('../../core/figures/render/html.ts')).figureHtml(data, svg);
  }
}

/**
 * Sees that a folder can be written, before hours of runs are spent on what goes into it.
 * @param make makes it too; else the nearest folder above it is looked at, and nothing is left behind
 * @throws SuperOffloadError 'environment'.
 */
export async function requireOut(out: string, { make }: { readonly make: boolean }): Promise<void> {
  try {
    if (make) await makeFolder(out);
    const place = make ? out : await existing(out);
    if (!(await stat(place)).isDirectory()) throw Object.assign(new Error('no folder'), { code: 'ENOTDIR' });
    await access(place, constants.W_OK | constants.X_OK);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const why = reasons[code];
    if (why === undefined) throw error;
    throw new SuperOffloadError({
      code: 'environment',
      message: `--out ${out}: ${why}`,
      hint: 'name a folder that you may write to',
      cause: error,
    });
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the file system is read-only',
  EEXIST: 'a part of the path is not a folder',
  ENOTDIR: 'a part of the path is not a folder',
  ENOENT: 'it is not there and cannot be made',
  ENAMETOOLONG: 'the path or a part of it is too long',
  ENOSPC: 'the disk is full',
  ELOOP: 'its symbolic links lead in a circle',
  ERR_INVALID_ARG_VALUE: 'it is no path',
};

/** The nearest folder above that is there. */
async function existing(path: string): Promise<string> {
  const found = await stat(path).then(
    () => true,
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    },
  );
  return found || dirname(path) === path ? path : existing(dirname(path));
}
