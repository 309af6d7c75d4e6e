import { createHash, randomBytes } from 'node:crypto';
import { link, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { thisPlace } from './place.ts';
import { isRunning, startTicks } from './processes.ts';

/** File systems take 255 bytes a name. */
const maxBase = 150;

/**
 * A name beside `path` for what will take its place at the end. It says which process makes it: after a SIGKILL the next
 * command knows that nobody will finish it.
 */
export function temporaryBeside(path: string): string {
  const maker = `${placeKey()}-${process.pid}-${startTicks(process.pid) ?? '0'}`;
  return join(dirname(path), `${prefixOf(path)}${maker}-${randomBytes(4).toString('hex')}`);
}

/**
 * Gives a finished file its name.
 * @returns false where that was taken meanwhile; a file system without hard links cannot tell.
 */
export async function moveIfFree(temporary: string, path: string): Promise<boolean> {
  try {
    await link(temporary, path);
    await rm(temporary, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    await rename(temporary, path);
  }
  return true;
}

interface Leftovers {
  /** Absolute, newest last by name. Their makers are gone. */
  readonly abandoned: readonly string[];
  /** Made on another machine, in another container or before a restart: whether somebody still writes, nobody here knows. */
  readonly unknown: readonly string[];
}

/** Finds what commands for `path` left beside it. A folder that cannot be read holds none. */
export async function leftoversBeside(path: string): Promise<Leftovers> {
  const prefix = prefixOf(path);
  const here = placeKey();
  const names = await readdir(dirname(path)).catch(() => []);
  const [abandoned, unknown]: [string[], string[]] = [[], []];
  for (const name of names.sort()) {
    if (!name.startsWith(prefix)) continue;
    const [, place, pid, ticks] = makerPattern.exec(name.slice(prefix.length)) ?? [];
    if (place === undefined) continue;
    const full = join(dirname(path), name);
    // Without /proc nobody knows whose a pid is.
    if (place !== here || ticks === '0') unknown.push(full);
    else if (!isRunning(Number(pid), ticks ?? null)) abandoned.push(full);
  }
  return { abandoned, unknown };
}

/** Removes what killed commands for `path` left beside it. @returns what may be somebody's who still writes. */
export async function removeLeftovers(path: string): Promise<readonly string[]> {
  const { abandoned, unknown } = await leftoversBeside(path);
  for (const each of abandoned) await rm(each, { recursive: true, force: true }).catch(() => undefined);
  return unknown;
}

const makerPattern = /^([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{8}(?:\.old)?$/;

function prefixOf(path: string): string {
  return `.${basename(path).slice(0, maxBase)}.`;
}

/** Pids mean something within one boot and one pid namespace alone. */
function placeKey(): string {
  const { boot, pidNamespace } = thisPlace();
  return createHash('sha256').update(`${boot} ${pidNamespace}`).digest('hex').slice(0, 8);
}
