import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder, storageError } from '../files.ts';
import { bootId } from '../place.ts';
import { isRunning, signalProcess, startTicks } from '../processes.ts';

/** Who holds a folder lock. A pid alone proves nothing: it may be another machine's, or be used again. */
interface Owner {
  readonly token: string;
  readonly pid: number;
  /** Kernel's start time of that pid, in clock ticks; empty where the system does not say. */
  readonly started: string;
  /** One boot of one machine. */
  readonly boot: string;
}

export interface Mutex {
  readonly release: () => Promise<void>;
}

const heartbeatMs = 5_000;
const staleAfterMs = 60_000;

/**
 * Takes the lock `path` by mkdir (the only atomic test-and-set on every HPC file system). A lock whose owner is dead
 * is taken over.
 * @returns the lock, or the pid of the living owner.
 * @throws SuperOffloadError 'environment' where the folder cannot be made.
 */
export async function tryMutex(path: string): Promise<Mutex | { readonly heldBy: number }> {
  const token = randomBytes(8).toString('hex');
  for (;;) {
    try {
      await makeFolder(dirname(path));
      await mkdir(path);
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw storageError(error, path);
    }
    const owner = readOwner(path);
    if (isAlive(path, owner)) return { heldBy: owner?.pid ?? 0 };
    await removeStale(path, owner, token);
  }
  const owner: Owner = { token, pid: process.pid, started: startTicks(process.pid) ?? '', boot: bootId() };
  await writeFile(join(path, 'owner.json'), JSON.stringify(owner)).catch(async (error: unknown) => {
    await rm(path, { recursive: true, force: true });
    throw storageError(error, path);
  });
  const beat = setInterval(() => {
    const now = new Date();
    utimes(join(path, 'owner.json'), now, now).catch(() => undefined);
  }, heartbeatMs);
  beat.unref();
  return {
    release: async () => {
      clearInterval(beat);
      if (readOwner(path)?.token === token) await rm(path, { recursive: true, force: true });
    },
  };
}

/** @returns the pid of the living owner (0 where it has not written it yet); undefined when nobody holds the lock. */
export function mutexHolder(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  const owner = readOwner(path);
  return isAlive(path, owner) ? (owner?.pid ?? 0) : undefined;
}

/** Two that both saw a dead owner: rename lets one win, and a fresh lock that was moved by mistake goes back. */
async function removeStale(path: string, judged: Owner | undefined, token: string): Promise<void> {
  const aside = `${path}.stale-${token}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  const moved = readOwner(aside);
  if (moved?.token !== judged?.token) {
    await rename(aside, path).catch(() => undefined);
    return;
  }
  await rm(aside, { recursive: true, force: true });
}

function isAlive(path: string, owner: Owner | undefined): boolean {
  if (owner?.boot === bootId()) {
    return owner.started === '' ? signalProcess(owner.pid, 0) : isRunning(owner.pid, owner.started);
  }
  // Another machine, a machine that was started again, or an owner that has not written its name yet.
  const file = owner === undefined ? path : join(path, 'owner.json');
  const limitMs = owner === undefined ? heartbeatMs : staleAfterMs;
  try {
    return Date.now() - statSync(file).mtimeMs < limitMs;
  } catch {
    return false;
  }
}

function readOwner(path: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(join(path, 'owner.json'), 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}
