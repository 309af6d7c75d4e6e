import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { moveHunks } from '../../core/patches/places.ts';
import type { Selection, SeriesPatch } from '../../core/patches/series.ts';
import { faultsError } from '../../errors.ts';
import { makeFolder, withFileErrors } from '../files.ts';
import { gitApplyIn } from './git-apply.ts';
import type { GitApply } from './git-apply.ts';
import { writeImage } from './journal.ts';
import type { SeriesFolder } from './series-folder.ts';
import { blobId } from './tree-files.ts';

/** A file's content and permission bits. */
export interface Image {
  readonly bytes: Buffer;
  readonly mode: number;
}

export interface GitOptions {
  readonly signal: AbortSignal;
  /** PATH, where git is. */
  readonly path: string | undefined;
  /** Told of every step that is done, so that long work can be watched. */
  readonly onStep?: (line: string) => void;
}

interface Scratch {
  readonly folder: string;
  readonly tree: string;
  readonly git: GitApply;
  /** Of every file in it, as the patches so far left it. */
  readonly blobs: Map<string, string>;
}

const plain = 0o644;
const executable = 0o755;
const executableBits = 0o111;

/**
 * Applies the chosen patches to copies of the files, in a folder that holds nothing else, and adds the overlay.
 * @param bases the upstream's files by path; one that a patch makes is not there.
 * @param folder does not exist yet.
 * @returns every file as it is to be.
 * @throws SuperOffloadError 'config' naming patch, file, expected and found blob where the series contradicts itself.
 */
export async function buildImages(
  { series, selection }: { readonly series: SeriesFolder; readonly selection: Selection },
  { bases, folder }: { readonly bases: ReadonlyMap<string, Image>; readonly folder: string },
  options: GitOptions,
): Promise<Map<string, Image>> {
  const tree = join(folder, 'tree');
  const scratch: Scratch = { folder, tree, git: gitApplyIn(tree, options), blobs: new Map() };
  await withFileErrors(tree, () => makeFolder(tree));
  for (const [path, { bytes, mode }] of bases) {
    await writeImage(join(tree, path), bytes, isExecutable(mode) ? executable : plain);
    scratch.blobs.set(path, blobId(bytes));
  }
  for (const patch of selection.patches) {
    const fault = await applyPatch(scratch, patch, series.patches.get(patch.file) ?? Buffer.alloc(0));
    options.onStep?.(`tried ${patch.file}`);
    if (fault === null) continue;
    throw faultsError('config', [{ place: `${series.place}: ${patch.file}`, problem: fault }], seriesHint);
  }
  const images = new Map<string, Image>();
  for (const path of scratch.blobs.keys()) images.set(path, await imageOf(scratch, path, bases.get(path)));
  for (const { path } of selection.overlay) {
    images.set(path, { bytes: series.overlay.get(path) ?? Buffer.alloc(0), mode: plain });
  }
  return images;
}

const seriesHint =
  'the patch and series.json do not fit each other: this superoffload is damaged or was edited';

/** @returns what is wrong, naming the file and the blobs; null for success. */
async function applyPatch(scratch: Scratch, patch: SeriesPatch, bytes: Buffer): Promise<string | null> {
  const source = join(scratch.folder, patch.file);
  await writeImage(source, Buffer.from(moveHunks(bytes.toString('latin1'), patch.files), 'latin1'), plain);
  const declared = patch.files.map(({ path }) => path).sort();
  const named = await scratch.git.paths(source);
  if (!Array.isArray(named)) return `git apply cannot read it: ${named.refusal}`;
  const touched = [...new Set(named)].sort();
  if (touched.join('\n') !== declared.join('\n')) {
    return `it touches ${touched.join(', ')}, and series.json says ${declared.join(', ')}`;
  }
  for (const { path, before } of patch.files) {
    const found = scratch.blobs.get(path) ?? null;
    if (found !== before) return `${path}: ${difference(before, found)}`;
  }
  const refusal = await scratch.git.apply(source);
  if (refusal !== null) return `git apply refuses it: ${refusal}`;
  for (const { path, after } of patch.files) {
    const found = await plainBlob(join(scratch.tree, path));
    if (found !== after) return `${path}, after the patch: ${difference(after, found)}`;
    scratch.blobs.set(path, after);
  }
  const stray = (await filesBelow(scratch.tree)).filter((path) => !scratch.blobs.has(path));
  return stray.length === 0 ? null : `it makes ${stray.join(', ')}, which series.json does not name`;
}

function difference(expected: string | null, found: string | null): string {
  return `expected blob ${expected ?? 'none (no such file)'}, found ${found ?? 'no plain file'}`;
}

async function plainBlob(place: string): Promise<string | null> {
  const stats = await lstat(place).catch(() => null);
  return stats?.isFile() === true ? blobId(await readFile(place)) : null;
}

/** The mode stays what it was, unless a patch made the file executable or plain. */
async function imageOf({ tree }: Scratch, path: string, base: Image | undefined): Promise<Image> {
  const place = join(tree, path);
  const bytes = await readFile(place);
  const patched = (await lstat(place)).mode;
  if (base !== undefined && isExecutable(base.mode) === isExecutable(patched)) {
    return { bytes, mode: base.mode };
  }
  const mode = isExecutable(patched) ? executable : plain;
  return { bytes, mode: base === undefined ? mode : (base.mode & ~executableBits) | (mode & executableBits) };
}

function isExecutable(mode: number): boolean {
  return (mode & 0o100) !== 0;
}

async function filesBelow(folder: string, prefix = ''): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
    const path = prefix === '' ? entry.name : `${prefix}/${entry.name}`;
    if (entry.isDirectory()) files.push(...(await filesBelow(folder, path)));
    else files.push(path);
  }
  return files;
}
