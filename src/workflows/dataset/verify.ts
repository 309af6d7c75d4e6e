import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { findDataset } from '../../adapters/dataset/data-file.ts';
import { readManifest, type DatasetManifest } from '../../adapters/dataset/manifest.ts';
import { comparePublished } from '../../adapters/dataset/published-file.ts';
import { withFileErrors } from '../../adapters/files.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';

/** One file, and by what it was judged. */
export interface FileCheck {
  readonly path: string;
  /** `manifest`: size and sha256 of the published file; `index`: the .idx itself and the size of its .bin. */
  readonly by: 'manifest' | 'index';
  /** null when it is as it should be. */
  readonly problem: string | null;
}

export interface VerifyReport {
  readonly schemaVersion: 1;
  readonly checks: readonly FileCheck[];
}

/** The folder of the published data below the state folder. */
export function publishedFolder(home: string, { name }: Pick<DatasetManifest, 'name'>): string {
  return join(home, 'datasets', name);
}

/**
 * Checks data files: those that are named as published ones by size and content, and every .idx with its .bin.
 * @param target a folder or a prefix; without it the folder that `dataset fetch` fills, where all must be there.
 * @throws SuperOffloadError 'environment' where there is nothing to check.
 */
export async function verifyDataset(ctx: Context, target: string | undefined): Promise<VerifyReport> {
  const manifest = await readManifest(ctx.packageRoot);
  const path =
    target === undefined
      ? publishedFolder(ctx.home, manifest)
      : resolve(ctx.cwd, target.replace(/\.(bin|idx)$/, ''));
  const inFolder = await namesIn(path);
  const folder = inFolder === null ? dirname(path) : path;
  const present = (inFolder ?? (await namesIn(folder)) ?? []).filter((name) =>
    isWanted(name, path, inFolder),
  );
  const published = manifest.files.filter(({ file }) => target === undefined || present.includes(file));
  const checks: FileCheck[] = [];
  if (present.length > 0) {
    for (const file of published) {
      const where = join(folder, file.file);
      ctx.emit({ type: 'note', message: `reading ${where}` });
      const { problem } = await comparePublished(where, file, ctx.signal);
      checks.push({ path: where, by: 'manifest', problem });
    }
    for (const prefix of prefixesOf(present)) {
      const found = await checkIndex(join(folder, prefix));
      // A published file that is wrong is not told twice.
      checks.push(
        ...found.filter(({ path }) => !checks.some((check) => check.path === path && check.problem !== null)),
      );
    }
  }
  if (checks.length === 0) throw nothingAt(path);
  return { schemaVersion: 1, checks };
}

function isWanted(name: string, path: string, inFolder: readonly string[] | null): boolean {
  return inFolder !== null || name === `${basename(path)}.bin` || name === `${basename(path)}.idx`;
}

async function namesIn(folder: string): Promise<string[] | null> {
  return withFileErrors(folder, async () => {
    try {
      return (await readdir(folder)).sort();
    } catch (error) {
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
      throw error;
    }
  });
}

function prefixesOf(names: readonly string[]): string[] {
  const prefixes = names
    .filter((name) => !name.startsWith('.'))
    .map((name) => /^(.+)\.(?:bin|idx)$/.exec(name)?.[1])
    .filter((prefix) => prefix !== undefined);
  return [...new Set(prefixes)];
}

/** One line for each file that has a problem, or one for the pair. */
async function checkIndex(prefix: string): Promise<FileCheck[]> {
  const { faults } = await findDataset(prefix);
  if (faults.length === 0) return [{ path: `${prefix}.idx`, by: 'index', problem: null }];
  return faults.map(({ place, problem, expected }) => ({
    path: place,
    by: 'index' as const,
    problem: expected === undefined ? problem : `${problem} (expected ${expected})`,
  }));
}

function nothingAt(path: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: `${path}: no data set is there`,
    hint: 'name a folder, or the path of a .bin and .idx without the ending\nthe published data: superoffload dataset fetch',
  });
}
