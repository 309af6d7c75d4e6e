import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isStackLock, lockSchemaVersion, migrateLock } from '../../core/stack/lock.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { SuperOffloadError } from '../../errors.ts';
import { readJson, withFileErrors } from '../files.ts';

/** Every path of a stack's folder. */
export function stackPaths(home: string, name: string) {
  const directory = join(home, 'stacks', name);
  return {
    directory,
    lock: join(directory, 'lock.json'),
    /** What lay on the disk when the lock was written. */
    manifest: join(directory, 'manifest.json'),
    venv: join(directory, 'venv'),
    /** Links to the tools that must come first on PATH. */
    bin: join(directory, 'bin'),
    ops: join(directory, 'ops'),
    /** One work tree an upstream. */
    sources: join(directory, 'src'),
    /** Bytecode of packages that are not ours. */
    bytecode: join(directory, 'bytecode'),
    /** Says that the packages are all in place: written between installing them and building the ops. */
    packagesDone: join(directory, 'packages.json'),
    requirements: join(directory, 'requirements.txt'),
    /** The same two for the packages that Megatron adds. */
    extrasDone: join(directory, 'megatron-packages.json'),
    extraRequirements: join(directory, 'megatron-requirements.txt'),
    installLog: join(directory, 'install.log'),
    /** mkdir of this folder is the right to install. */
    mutex: join(directory, 'install.lock'),
  } as const;
}

/**
 * @returns the lock of a ready stack; undefined when there is none, or when its Python or its ops have gone since.
 * @throws SuperOffloadError 'install' when a newer version of the tool wrote it, or when it is damaged.
 */
export async function loadStack(home: string, name: string): Promise<StackLock | undefined> {
  const path = stackPaths(home, name).lock;
  const stored = await readJson(path).catch((error: unknown) => {
    if (error instanceof SuperOffloadError && error.code === 'config') throw damaged(path, name, error);
    throw error;
  });
  if (stored === undefined) return undefined;
  const value = migrateLock(stored);
  const version = (value as Partial<Record<string, unknown>> | null)?.['schemaVersion'];
  if (typeof version === 'number' && version > lockSchemaVersion) {
    throw new SuperOffloadError({
      code: 'install',
      message: `${path} has schema version ${version}; this superoffload knows up to ${lockSchemaVersion}`,
      hint: `use the newer superoffload, or run: ${reinstall(name)}`,
    });
  }
  if (!isStackLock(value)) throw damaged(path, name);
  return existsSync(value.python.path) && existsSync(value.ops.directory) ? value : undefined;
}

function damaged(path: string, name: string, cause?: SuperOffloadError): SuperOffloadError {
  return new SuperOffloadError({
    code: 'install',
    message: `${path} is not the lock of a stack${cause === undefined ? '' : `\n${cause.message}`}`,
    hint: `run: ${reinstall(name)}`,
    cause,
  });
}

function reinstall(name: string): string {
  return `superoffload install --stack ${name} --reinstall`;
}

/** @returns the names of all folders that may hold a stack, ready or not; hidden ones are this tool's own. */
export async function stackNamesIn(home: string): Promise<string[]> {
  const entries = await readdir(join(home, 'stacks'), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();
}

/** @returns the locks of all ready stacks, by name. */
export async function listStacks(home: string): Promise<StackLock[]> {
  const names = await stackNamesIn(home);
  const locks = await Promise.all(names.map((name) => loadStack(home, name)));
  return locks.filter((lock) => lock !== undefined);
}

/**
 * Removes a stack. Its folder gets another name first: whoever looks meanwhile sees all of it or nothing, and what a
 * killed removal leaves behind goes with the next one.
 * @throws SuperOffloadError 'environment' where that is not allowed.
 */
export async function removeStack(home: string, name: string): Promise<void> {
  const parent = join(home, 'stacks');
  await withFileErrors(parent, async () => {
    await rename(
      join(parent, name),
      join(parent, `${removedPrefix}${name}-${randomBytes(4).toString('hex')}`),
    );
    for (const entry of await readdir(parent)) {
      if (entry.startsWith(removedPrefix)) await rm(join(parent, entry), { recursive: true, force: true });
    }
  });
}

const removedPrefix = '.removed-';
