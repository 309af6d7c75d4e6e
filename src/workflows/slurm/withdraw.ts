import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cancelByName } from '../../adapters/schedulers/slurm/tools.ts';
import type { RunFolder } from '../../adapters/run-store.ts';
import { runFiles } from '../../core/results/run-files.ts';
import type { Context } from '../context.ts';
import { accessOf, firstLine } from './cluster.ts';

const lookMs = 500;
const cancelled = new Error('cancelled by request');

/** Whether somebody asked to end a run (`runs cancel`). */
export function isCancelAsked({ path }: Pick<RunFolder, 'path'>): boolean {
  return existsSync(join(path, runFiles.cancel));
}

/**
 * Does what takes its time before a run can be followed, until somebody cancels the run.
 * @returns null where that was first
 */
export async function untilCancelled<T>(
  folder: Pick<RunFolder, 'path'>,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | null> {
  const asked = new AbortController();
  const timer = setInterval(() => {
    if (isCancelAsked(folder)) asked.abort(cancelled);
  }, lookMs);
  try {
    return await work(asked.signal);
  } catch (error) {
    if (error === cancelled) return null;
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/** Ends the job of a submission that nobody waits for any more: it may have arrived all the same. */
export async function withdraw(
  context: Context,
  { name, cluster }: { readonly name: string; readonly cluster: string | null },
): Promise<void> {
  const answer = await cancelByName(accessOf(context, cluster), name);
  if (answer.ok) {
    context.emit({ type: 'note', message: `run ${name} was cancelled before Slurm took its job` });
    return;
  }
  context.emit({
    type: 'warning',
    message: `run ${name} is cancelled, but whether Slurm took its job is not known: ${firstLine(answer.said)}`,
    hint: `When the controller answers again: scancel --name=${name}`,
  });
}
