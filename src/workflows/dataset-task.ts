import type { Context } from './context.ts';

/** How the work of one task tells where it stands. */
export interface Task {
  readonly line: (line: string) => void;
  /** Of one file: called with the bytes so far. */
  readonly bytes: (name: string, total: number) => (bytes: number) => void;
}

/** Nobody listens. */
export const silentTask: Task = { line: () => undefined, bytes: () => () => undefined };

/** Runs one visible piece of work: its newest line is told every second at most, its end with the time it took. */
export async function asTask<T>(
  ctx: Pick<Context, 'emit' | 'now' | 'signal'>,
  { id, title }: { readonly id: string; readonly title: string },
  work: (task: Task) => Promise<T>,
): Promise<T> {
  ctx.signal.throwIfAborted();
  const began = ctx.now();
  let toldAt = began;
  const line = (text: string): void => {
    if (ctx.now() - toldAt < 1_000) return;
    toldAt = ctx.now();
    ctx.emit({ type: 'task-output', id, line: text, elapsedMs: ctx.now() - began });
  };
  const bytes = (name: string, total: number) => (done: number) => {
    line(`${name}: ${(done / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`);
  };
  ctx.emit({ type: 'task', id, state: 'start', message: title });
  try {
    const result = await work({ line, bytes });
    ctx.emit({ type: 'task', id, state: 'done', message: title, elapsedMs: ctx.now() - began });
    return result;
  } catch (error) {
    if (!ctx.signal.aborted) {
      ctx.emit({ type: 'task', id, state: 'failed', message: title, elapsedMs: ctx.now() - began });
    }
    throw error;
  }
}
