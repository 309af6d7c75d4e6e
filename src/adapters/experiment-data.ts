import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ExperimentFile } from '../core/experiment/experiment-file.schema.ts';
import { parseJson } from '../core/json/json-text.ts';
import { nearest } from '../core/experiment/nearest.ts';
import { systemFaults, withUnit } from '../core/experiment/system-faults.ts';
import type { NamedSystemFile } from '../core/experiment/system.ts';
import type { SystemFile } from '../core/experiment/system-file.schema.ts';
import type { ModelFile } from '../core/model/model-file.schema.ts';
import { modelEntries, modelFaults, type ModelEntry } from '../core/model/model-table.ts';
import { faultsError, SuperOffloadError, type Fault } from '../errors.ts';
import { validateData, type SchemaName } from './validate.ts';

/** Folders that hold experiment data, the first beats the later ones. */
export type DataFolders = readonly string[];

/** The user's `experiment` folder, where there is one, before the package's own. */
export function dataFolders(place: { readonly cwd: string; readonly packageRoot: string }): DataFolders {
  return [...new Set([join(place.cwd, 'experiment'), join(place.packageRoot, 'experiment')])];
}

/** A size and whose it is. */
export interface KnownModel extends ModelEntry {
  /** From the user's folder: it may be called as one of the package's and be another. */
  readonly isUsers: boolean;
}

/**
 * Reads every size of every model.json; a size of the user's beats the package's of the same name.
 * @throws SuperOffloadError `config` with every fault of a file: line and column, or JSON path.
 */
export function readModels(folders: DataFolders): KnownModel[] {
  const byName = new Map<string, KnownModel>();
  for (const folder of [...folders].reverse()) {
    const path = join(folder, 'model.json');
    const text = readOrNull(path);
    if (text === null) continue;
    const entries = modelEntries(parseChecked('model', text, path) as ModelFile);
    const faults = modelFaults(entries, path);
    if (faults.length > 0) throw faultsError('config', faults);
    const isUsers = folder !== folders.at(-1);
    for (const entry of entries) byName.set(entry.shape.name, { ...entry, isUsers });
  }
  return [...byName.values()];
}

/**
 * Reads an experiment by name, or a file of the user's by its path.
 * @throws SuperOffloadError `config` where it is wrong, `usage` where there is none of that name.
 */
export function readExperiment(nameOrPath: string, folders: DataFolders): ExperimentFile {
  const isPath = nameOrPath.endsWith('.json') || nameOrPath.includes('/');
  const paths = isPath ? [nameOrPath] : folders.map((folder) => join(folder, `${nameOrPath}.json`));
  const found = firstFile(paths);
  if (found === null) throw notFound('experiment', 'experiment file', nameOrPath, experimentNames(folders));
  return parseChecked('experiment', found.text, found.path) as ExperimentFile;
}

function experimentNames(folders: DataFolders): string[] {
  const names = folders.flatMap(jsonFilesOf).map((path) => basename(path, '.json'));
  return [...new Set(names)].filter((name) => name !== 'model');
}

/**
 * Which files of the user's folder stand before the package's: whoever finds himself in a folder with an
 * `experiment` of somebody else's must be told.
 * @returns null where there are none.
 */
export function userFiles(
  folders: DataFolders,
): { readonly folder: string; readonly files: readonly string[] } | null {
  const [folder] = folders;
  if (folder === undefined || folders.length < 2) return null;
  const experiments = ['throughput.json', 'model_size.json', 'sequence_length.json'];
  const own = ['model.json', ...experiments].filter((name) => existsSync(join(folder, name)));
  const systems = jsonFilesOf(join(folder, 'systems')).map((path) => join('systems', basename(path)));
  return own.length + systems.length === 0 ? null : { folder, files: [...own, ...systems] };
}

/**
 * Every machine profile that can be read, the user's first. A faulty file is told of where it is asked for.
 */
export function readSystems(folders: DataFolders): KnownSystem[] {
  return scanSystems(folders).systems;
}

/** Every profile that can be read, and by its name what is wrong with each that cannot. */
export interface ScannedSystems {
  readonly systems: KnownSystem[];
  readonly faults: ReadonlyMap<string, readonly Fault[]>;
}

/** A file without a byte is no profile: a shell makes it before `systems probe > mine.json` begins. */
export function scanSystems(folders: DataFolders): ScannedSystems {
  const byName = new Map<string, KnownSystem>();
  const faults = new Map<string, readonly Fault[]>();
  for (const folder of folders) {
    for (const path of jsonFilesOf(join(folder, 'systems'))) {
      const name = basename(path, '.json');
      if (byName.has(name) || faults.has(name)) continue;
      const text = readOrNull(path);
      if (text === null || text === '') continue;
      const read = readSystemFile(text, path);
      if (read.ok) byName.set(name, { name, file: read.file, isUsers: folder !== folders.at(-1) });
      else faults.set(name, read.faults);
    }
  }
  return { systems: [...byName.values()], faults };
}

/** A machine profile and whose it is. */
export interface KnownSystem extends NamedSystemFile {
  /** From the user's folder. */
  readonly isUsers: boolean;
}

/** @param path what the text is called in a message. */
export function readSystemFile(
  text: string,
  path: string,
):
  | { readonly ok: true; readonly file: SystemFile }
  | { readonly ok: false; readonly faults: readonly Fault[] } {
  const parsed = parseJson(text, path);
  if (!parsed.ok) return { ok: false, faults: parsed.faults };
  const wrong = validateData('system', parsed.value, path).map(withUnit);
  if (wrong.length > 0) return { ok: false, faults: wrong };
  const file = parsed.value as SystemFile;
  const faults = systemFaults(file, path);
  return faults.length > 0 ? { ok: false, faults } : { ok: true, file };
}

/**
 * One machine profile.
 * @param place where the name was given.
 * @throws SuperOffloadError `usage` where there is none of that name, `config` with every fault of its file.
 */
export function readSystem(name: string, folders: DataFolders, place = '--system'): KnownSystem {
  return pickSystem(name, scanSystems(folders), place);
}

/** As {@link readSystem}, of profiles that are read already. */
export function pickSystem(
  name: string,
  { systems, faults }: ScannedSystems,
  place = '--system',
): KnownSystem {
  const own = faults.get(name);
  if (own !== undefined) throw faultsError('config', own);
  const system = systems.find((candidate) => candidate.name === name);
  if (system === undefined) {
    throw notFound(
      place,
      'system',
      name,
      systems.map((candidate) => candidate.name),
    );
  }
  return system;
}

function parseChecked(schema: SchemaName, text: string, path: string): unknown {
  const parsed = parseJson(text, path);
  if (!parsed.ok) throw faultsError('config', parsed.faults);
  const faults = validateData(schema, parsed.value, path);
  if (faults.length > 0) throw faultsError('config', faults);
  return parsed.value;
}

function notFound(place: string, what: string, name: string, known: readonly string[]): SuperOffloadError {
  const candidate = nearest(name, known);
  const expected = candidate ?? (known.length > 0 ? known.join(', ') : undefined);
  return faultsError('usage', [
    { place, problem: `there is no ${what} "${name}"`, ...(expected === undefined ? {} : { expected }) },
  ]);
}

function firstFile(paths: readonly string[]): { path: string; text: string } | null {
  for (const path of paths) {
    const text = readOrNull(path);
    if (text !== null) return { path, text };
  }
  return null;
}

function jsonFilesOf(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.json'))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw unreadable(folder, error);
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw unreadable(path, error);
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function unreadable(path: string, cause: unknown): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: `${path}: cannot be read: ${(cause as Error).message}`,
    hint: 'Check the permissions of the file.',
    cause,
  });
}
