import { mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder, withFileErrors } from '../../adapters/files.ts';
import { parseArchivePath } from '../../core/archive/archive-path.ts';
import {
  archivedRunFile,
  shown,
  type ArchivedFile,
  type ArchivedRun,
  type ArchiveManifest,
} from '../../core/archive/manifest.ts';
import { migrateRecord } from '../../core/results/migrate.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { faultsError, type Fault } from '../../errors.ts';
import { jsonOrNull, wholeText } from './archive-contents.ts';

/** Takes an archive's files and lays the wanted ones down below a folder of its own. */
export interface Unpacker {
  /** @param runIds the runs that are wanted */
  readonly begin: (manifest: ArchiveManifest, runIds: ReadonlySet<string>) => Promise<void>;
  readonly file: (file: ArchivedFile, content: () => AsyncIterable<Buffer>) => Promise<boolean>;
  /** @throws SuperOffloadError 'config' with every record that is none. */
  readonly end: () => Promise<void>;
}

/** @param dryRun read everything, write nothing */
export function unpacker(staging: string, dryRun: boolean): Unpacker {
  let wanted: ReadonlySet<string> = new Set();
  let locks: ReadonlyMap<string, readonly string[]> = new Map();
  const faults: Fault[] = [];
  const toDisk = dryRun
    ? async (_path: string, content: AsyncIterable<Buffer>) => drain(content)
    : diskWriter();
  return {
    begin: async ({ runs }, runIds) => {
      wanted = runIds;
      locks = runsOfLocks(runs.filter(({ runId }) => runIds.has(runId)));
      if (!dryRun && runIds.size > 0) await makeStaging(staging);
    },
    file: async (file, content) => {
      const path = parseArchivePath(file.path);
      if (path?.kind === 'run' && path.file === runFiles.record) {
        const text = await wholeText(content());
        const problem = recordProblem(text, path.runId);
        if (problem !== null) faults.push({ place: shown(archivedRunFile(path.runId, path.file)), problem });
        if (wanted.has(path.runId)) await toDisk(join(staging, path.runId, path.file), once(text));
      } else if (path?.kind === 'run' && wanted.has(path.runId)) {
        await toDisk(join(staging, path.runId, path.file), content());
      } else if (path?.kind === 'lock') {
        const text = await wholeText(content());
        if (lockHash(jsonOrNull(text)) !== path.hash)
          faults.push({ place: shown(file.path), problem: 'it is not the lock of that hash' });
        const runIds = locks.get(path.hash) ?? [];
        for (const runId of runIds) await toDisk(join(staging, runId, runFiles.lock), once(text));
      } else await drain(content());
      return true;
    },
    end: async () => {
      if (faults.length > 0) throw faultsError('config', faults, 'nothing of the archive was kept');
      return Promise.resolve();
    },
  };
}

/** Hash of a lock to the ids of the runs that get a copy of it. */
function runsOfLocks(runs: readonly ArchivedRun[]): Map<string, string[]> {
  const byHash = new Map<string, string[]>();
  for (const { runId, lock } of runs) {
    if (lock !== null) byHash.set(lock, [...(byHash.get(lock) ?? []), runId]);
  }
  return byHash;
}

/** @returns why a record is none of the run whose folder it lies in; null for a good one. */
function recordProblem(text: string, runId: string): string | null {
  const read = migrateRecord(jsonOrNull(text));
  if (!read.ok) return read.problem;
  return read.record.runId === runId ? null : `it is the record of ${shown(read.record.runId)}`;
}

function lockHash(value: unknown): unknown {
  return (value as { readonly hash?: unknown } | null)?.hash;
}

/** Reads to the end and keeps nothing: its hash is still checked. */
async function drain(content: AsyncIterable<Buffer>): Promise<void> {
  const chunks = content[Symbol.asyncIterator]();
  while ((await chunks.next()).done !== true);
}

async function* once(text: string): AsyncGenerator<Buffer> {
  yield Promise.resolve(Buffer.from(text));
}

/** Makes the folder that everything is unpacked below: its name is nobody's yet, and nobody else may enter it. */
async function makeStaging(staging: string): Promise<void> {
  await withFileErrors(dirname(staging), async () => {
    await makeFolder(dirname(staging));
    await mkdir(staging, { mode: 0o700 });
  });
}

function diskWriter(): (path: string, content: AsyncIterable<Buffer>) => Promise<void> {
  const folders = new Set<string>();
  return async (path, content) =>
    withFileErrors(path, async () => {
      if (!folders.has(dirname(path))) await makeFolder(dirname(path));
      folders.add(dirname(path));
      await writeNew(path, content);
    });
}

/** Whatever the archive says of modes and owners: a plain file of this user, that was not there before. */
async function writeNew(path: string, content: AsyncIterable<Buffer>): Promise<void> {
  const file = await open(path, 'wx', path.endsWith('.sh') ? 0o755 : 0o644);
  try {
    for await (const chunk of content) await file.writeFile(chunk);
  } finally {
    await file.close();
  }
}
