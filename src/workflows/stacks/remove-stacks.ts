import { listRunIds } from '../../adapters/run-store.ts';
import { mutexHolder, tryMutex } from '../../adapters/stack/mutex.ts';
import { removeStack, stackPaths } from '../../adapters/stack/store.ts';
import { readRecord, readRun } from '../../adapters/stored-runs.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { requireStackFolder } from './require-stack.ts';

/**
 * Looks whether these stacks may go, all of them before the first is touched.
 * @param force also where a run may be using one on another machine, which nobody here can see.
 * @throws SuperOffloadError 'usage' for an unknown one; 'environment' for one that is in use.
 */
export async function stacksToRemove(
  ctx: Context,
  wanted: readonly string[],
  { force }: { readonly force: boolean },
): Promise<string[]> {
  const names = [...new Set(wanted)];
  for (const name of names) await requireStackFolder(ctx, name);
  const runs = await unfinishedRuns(ctx);
  for (const name of names) {
    const holder = mutexHolder(stackPaths(ctx.home, name).mutex);
    if (holder !== undefined) throw beingInstalled(name, holder);
    const users = runs.filter(({ stack }) => stack === name || stack === null);
    const running = users.find(({ elsewhere }) => !elsewhere);
    if (running !== undefined) {
      throw inUse(name, `run ${running.runId} uses it`, 'wait until it has ended, or end it with Ctrl-C');
    }
    const far = users.find(({ elsewhere }) => elsewhere);
    if (far !== undefined && !force) {
      const problem = `run ${far.runId} was started on another machine or in another container, and may be using it`;
      throw inUse(name, problem, 'to remove it all the same, add --force');
    }
  }
  return names;
}

/** @throws SuperOffloadError 'environment' when an install took it meanwhile, or the files cannot be removed. */
export async function removeStacks(ctx: Context, names: readonly string[]): Promise<void> {
  for (const name of names) {
    // Held until the folder is gone, so that no install begins in it.
    const mutex = await tryMutex(stackPaths(ctx.home, name).mutex);
    if (!('release' in mutex)) throw beingInstalled(name, mutex.heldBy);
    try {
      await removeStack(ctx.home, name);
    } finally {
      await mutex.release();
    }
  }
}

interface UnfinishedRun {
  readonly runId: string;
  /** null where its plan does not say, or is not written yet. */
  readonly stack: string | null;
  readonly elsewhere: boolean;
}

/** Runs without a record that are alive, or may be. One whose plan cannot be read may use any stack. */
async function unfinishedRuns({ home }: Context): Promise<UnfinishedRun[]> {
  const ids = await listRunIds(home);
  return ids.flatMap((runId) => {
    if (readRecord(home, runId) !== null) return [];
    const run = readRun(home, runId);
    if (!run.elsewhere && !run.watched && run.livePids.length === 0) return [];
    const isOwn = run.plan !== null && run.plan.stack === null;
    return isOwn ? [] : [{ runId, stack: run.plan?.stack?.name ?? null, elsewhere: run.elsewhere }];
  });
}

function inUse(name: string, problem: string, hint: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: `stack ${JSON.stringify(name)} is kept: ${problem}`,
    hint,
  });
}

function beingInstalled(name: string, pid: number): SuperOffloadError {
  const problem = pid === 0 ? 'an install is at work in it' : `process ${pid} is installing it`;
  return inUse(name, problem, 'wait until it has ended, or end it with Ctrl-C');
}
