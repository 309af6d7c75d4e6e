import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { StackLock } from '../../core/stack/lock.ts';
import { parseRecord } from '../../core/stack/manifest.ts';
import type { Requirement } from '../../core/install/requirements.ts';
import { wheelContentText, wheelFile } from '../../core/stack/wheels.ts';
import type { WheelFacts } from '../../core/stack/wheels.ts';
import { readJson } from '../files.ts';
import { sitesOf } from './manifest.ts';
import { installedPackages } from './manifest-files.ts';

/**
 * Reads what each installed package says of the file it came from. Of two of one name the first on sys.path counts,
 * as in an import.
 * @param accepted requirements whose hashes the installer checked; empty when it checked none.
 * @throws SuperOffloadError 'install' when the Python does not run.
 */
export async function collectWheels(
  lock: Pick<StackLock, 'python' | 'environment'>,
  accepted: readonly Requirement[],
): Promise<Record<string, WheelFacts>> {
  const found = new Map<string, WheelFacts>();
  for (const directory of await sitesOf(lock)) {
    for (const each of installedPackages(directory)) {
      if (!found.has(each.name)) found.set(each.name, await wheelOf(directory, each, accepted));
    }
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function wheelOf(
  directory: string,
  { name, version, describedBy, hasRecord }: ReturnType<typeof installedPackages>[number],
  accepted: readonly Requirement[],
): Promise<WheelFacts> {
  if (!hasRecord) return { version, content: null, file: null, installer: null };
  const folder = join(directory, dirname(describedBy));
  const read = (file: string): Promise<string | null> =>
    readFile(join(folder, file), 'utf8').catch(() => null);
  const text = wheelContentText(parseRecord((await read('RECORD')) ?? ''));
  const directUrl = await readJson(join(folder, 'direct_url.json')).catch(() => null);
  return {
    version,
    content: createHash('sha256').update(text).digest('hex'),
    file: wheelFile({ name, version }, directUrl ?? null, accepted),
    installer: (await read('INSTALLER'))?.trim() ?? null,
  };
}
