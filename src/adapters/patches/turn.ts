import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SuperOffloadError } from '../../errors.ts';
import { withFileErrors } from '../files.ts';
import { tryMutex } from '../stack/mutex.ts';
import { recover } from './journal.ts';
import type { OnStep } from './journal.ts';
import { readRecord } from './record.ts';
import type { PatchPlaces } from './record.ts';

const pollMs = 50;
const patienceMs = 120_000;

/**
 * Waits until nobody else changes the tree, ends what a killed process left, and works alone.
 * @throws SuperOffloadError 'environment' when another process holds the tree for two minutes.
 */
export async function withTurn<T>(
  places: PatchPlaces,
  { signal, onStep }: { readonly signal: AbortSignal; readonly onStep: OnStep },
  work: () => Promise<T>,
): Promise<T> {
  let waitedMs = 0;
  let turn = await tryMutex(places.mutex);
  while ('heldBy' in turn) {
    if (waitedMs === 0) onStep(`waiting for process ${turn.heldBy}, which patches this tree`);
    if (waitedMs > patienceMs) {
      const message = `process ${turn.heldBy} has been patching ${places.tree} for two minutes`;
      throw new SuperOffloadError({ code: 'environment', message, hint: 'wait for it, or end it' });
    }
    await sleep(pollMs, undefined, { signal }).catch(() => {
      signal.throwIfAborted();
    });
    waitedMs += pollMs;
    turn = await tryMutex(places.mutex);
  }
  try {
    await recover(places, onStep);
    await sweep(places);
    return await work();
  } finally {
    await turn.release();
  }
}

/** Removes what no record speaks of: images that were half made when a process was killed. */
export async function sweep(places: PatchPlaces): Promise<void> {
  const record = await readRecord(places);
  await withFileErrors(places.folder, async () => {
    const names = await readdir(places.folder).catch(() => []);
    const kept = record === undefined ? [] : ['record.json', record.backup];
    for (const name of names.filter((each) => !kept.includes(each))) {
      await rm(join(places.folder, name), { recursive: true, force: true });
    }
    if (record === undefined) await rm(places.folder, { recursive: true, force: true });
  });
}
