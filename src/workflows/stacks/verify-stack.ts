import { loadManifest, writeManifest } from '../../adapters/stack/manifest.ts';
import { fullDrift } from '../../adapters/stack/manifest-drift.ts';
import { tryMutex } from '../../adapters/stack/mutex.ts';
import { stackPaths } from '../../adapters/stack/store.ts';
import type { Drift } from '../../core/stack/drift.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import type { StackManifest } from '../../core/stack/manifest.ts';
import type { Context } from '../context.ts';
import { requireStack } from './require-stack.ts';
import { asTask } from '../task.ts';

export interface StackVerification {
  readonly name: string;
  readonly hash: string;
  /** Every file that differs, is missing, or was put there by nobody. */
  readonly drifts: readonly Drift[];
  /** Files with another time or mode than at the install, and the same content. */
  readonly touched: readonly string[];
  /** The quick check was told the new times, so that runs are not refused for them. */
  readonly renewed: boolean;
  /** False for a stack of an older version: only its packages could be compared. */
  readonly hasManifest: boolean;
  readonly files: number;
  readonly bytes: number;
  readonly elapsedMs: number;
}

/**
 * Reads every file of a stack. Where only times differ, it lets the quick check know them.
 * @param dryRun look only.
 * @throws SuperOffloadError 'usage' for an unknown stack, 'environment' for one that is not ready.
 */
export async function verifyStack(
  ctx: Context,
  name: string,
  { dryRun }: { readonly dryRun: boolean },
): Promise<StackVerification> {
  const lock = await requireStack(ctx, name);
  const began = ctx.now();
  const report = await readAll(ctx, lock);
  const { drifts, touched, hasManifest, files, bytes } = report;
  const isWanted = hasManifest && drifts.length === 0 && touched.length > 0 && !dryRun;
  const renewed = isWanted && (await renew(ctx, lock, report.renewed));
  return {
    ...{ name, hash: lock.hash, drifts, touched, renewed, hasManifest, files, bytes },
    elapsedMs: ctx.now() - began,
  };
}

function readAll(ctx: Context, lock: StackLock): ReturnType<typeof fullDrift> {
  const task = { id: 'verify', title: `read every file of stack ${lock.name}` };
  return asTask(ctx, task, ({ line }) =>
    fullDrift(lock, {
      signal: ctx.signal,
      onProgress: ({ files, bytes }, all) => {
        line(`${files} of ${all} files, ${(bytes / 1e9).toFixed(2)} GB`);
      },
    }),
  );
}

/** An install or a patch that began meanwhile writes its own manifest. @returns whether this one was written. */
async function renew({ home }: Context, lock: StackLock, manifest: StackManifest): Promise<boolean> {
  const turn = await tryMutex(stackPaths(home, lock.name).mutex);
  if ('heldBy' in turn) return false;
  try {
    const kept = await loadManifest(lock);
    if (kept?.lockHash !== manifest.lockHash) return false;
    await writeManifest(lock, manifest);
    return true;
  } finally {
    await turn.release();
  }
}
