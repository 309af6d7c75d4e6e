import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SeriesFile } from '../../core/patches/series.schema.ts';
import { seriesFaults } from '../../core/patches/series-faults.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import type { Fault } from '../../errors.ts';
import { parseJson } from '../files.ts';
import { validateData } from '../validate.ts';
import { sha256Of } from './tree-files.ts';

/** A series whose every file was read and has the hash that the series states. */
export interface SeriesFolder {
  /** series.json itself, for messages. */
  readonly place: string;
  readonly series: SeriesFile;
  /** Of series.json. */
  readonly sha256: string;
  readonly patches: ReadonlyMap<string, Buffer>;
  /** By path in the tree. */
  readonly overlay: ReadonlyMap<string, Buffer>;
}

/**
 * Reads the series.json of patches/<upstream>, without the files that it names.
 * @returns undefined where there is none.
 * @throws SuperOffloadError 'config' with every fault of the JSON or of a path.
 */
export async function readSeriesFile(
  folder: string,
): Promise<Pick<SeriesFolder, 'place' | 'series' | 'sha256'> | undefined> {
  const place = join(folder, 'series.json');
  const text = await readPlain(place);
  if (text === 'absent') return undefined;
  if (typeof text === 'string') throw faultsError('config', [{ place, problem: text }]);
  const data = parseJson(text.toString('utf8'), place);
  const invalid = validateData('series', data, place);
  if (invalid.length > 0) throw faultsError('config', invalid, hint);
  const series = data as SeriesFile;
  const unsound = seriesFaults(series, place);
  if (unsound.length > 0) throw faultsError('config', unsound, hint);
  return { place, series, sha256: sha256Of(text) };
}

/**
 * Reads patches/<upstream> whole.
 * @returns undefined where there is no series.
 * @throws SuperOffloadError 'config' with every fault: of the JSON, of a path, of a hash.
 */
export async function readSeries(folder: string): Promise<SeriesFolder | undefined> {
  const file = await readSeriesFile(folder);
  if (file === undefined) return undefined;
  const { series } = file;
  const faults: Fault[] = [];
  const read = async (files: readonly { name: string; source: string; sha256: string }[]) => {
    const contents = new Map<string, Buffer>();
    for (const file of files) {
      const bytes = await readHashed(folder, file);
      if (Buffer.isBuffer(bytes)) contents.set(file.name, bytes);
      else faults.push(bytes);
    }
    return contents;
  };
  const patches = await read(
    series.patches.map(({ file, sha256 }) => ({ name: file, source: file, sha256 })),
  );
  const overlay = await read(
    series.overlay.map(({ path, sha256 }) => ({ name: path, source: join('overlay', path), sha256 })),
  );
  if (faults.length > 0) throw faultsError('config', faults, hint);
  return { ...file, patches, overlay };
}

const hint = 'this superoffload is damaged or was edited: install it again';

async function readHashed(
  folder: string,
  { source, sha256 }: { readonly source: string; readonly sha256: string },
): Promise<Buffer | Fault> {
  const place = join(folder, source);
  const bytes = await readPlain(place);
  if (bytes === 'absent') return { place, problem: 'is missing: series.json names it' };
  if (typeof bytes === 'string') return { place, problem: bytes };
  const found = sha256Of(bytes);
  if (found === sha256) return bytes;
  return { place, problem: `has sha256 ${found}, which is not what series.json says`, expected: sha256 };
}

/** @returns the content, 'absent', or why it is not what a series may hold. */
async function readPlain(place: string): Promise<Buffer | string> {
  try {
    return (await lstat(place)).isFile() ? await readFile(place) : 'is not a plain file';
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'absent';
    throw new SuperOffloadError({
      ...{ code: 'environment', message: `${place}: cannot be read: ${message}`, cause: error },
      hint: 'check the permissions of the file',
    });
  }
}
