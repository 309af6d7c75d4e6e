import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { filesOfKind, type ArchiveManifest } from '../../core/archive/manifest.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { runContents } from './run-contents.ts';

/**
 * Tells which runs of an archive are there already.
 * @returns ids of those that are not, and of those that are, with the same content
 * @throws SuperOffloadError 'usage' with every run that is there with other content.
 */
export async function compareWithTarget(
  context: Context,
  manifest: ArchiveManifest,
  into: string,
): Promise<{ readonly fresh: readonly string[]; readonly skipped: readonly string[] }> {
  const hashes = new Map<string, Map<string, string>>();
  for (const { file, path } of filesOfKind(manifest, 'run')) {
    const ofRun = hashes.get(path.runId) ?? new Map<string, string>();
    hashes.set(path.runId, ofRun.set(path.file, file.sha256));
  }
  const fresh: string[] = [];
  const skipped: string[] = [];
  const conflicts: string[] = [];
  for (const { runId } of manifest.runs) {
    const difference = await differenceOf(context, join(into, runId), hashes.get(runId) ?? new Map());
    if (difference === 'absent') fresh.push(runId);
    else if (difference === null) skipped.push(runId);
    else conflicts.push(`run ${runId} is there with other content: ${difference}`);
  }
  if (conflicts.length > 0) {
    throw new SuperOffloadError({
      code: 'usage',
      message: [`${into}: nothing was imported`, ...conflicts].join('\n'),
      hint: 'import into another folder with --into DIR; `--from DIR` then reads it',
    });
  }
  return { fresh, skipped };
}

/** @returns how a folder differs from what the archive has of its run; null where all of that is the same. */
async function differenceOf(
  { signal, env }: Context,
  folder: string,
  archived: ReadonlyMap<string, string>,
): Promise<string | null> {
  const found = await lstat(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  });
  if (found === null) return 'absent';
  if (!found.isDirectory()) return 'it is no folder';
  const { files } = await runContents(folder, { logs: true, signal, env });
  const here = new Map(files.map(({ file, sha256 }) => [file, sha256]));
  const others = [...archived].filter(([file, sha256]) => here.get(file) !== sha256);
  if (others.length === 0) return null;
  const names = others.map(([file]) => (here.has(file) ? file : `${file} (only in the archive)`));
  return names.slice(0, 3).join(', ') + (names.length > 3 ? ` and ${names.length - 3} more` : '');
}
