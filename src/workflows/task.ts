import type { Context } from './context.ts';

/** How the work of one task tells where it stands. */
export interface Task {
  readonly line: (line: string) => void;
  /** Of one file: called with the bytes so far. */
  readonly bytes: (name: string, total: number) => (bytes: number) => void;
}

/** Nobody listens. */
export const silentTask: Task = { line: () => undefined, bytes: () => () => undefined };

const repeatMs = 1_000;

/**
 * Runs one visible piece of work. Its newest line is told as it comes, and again every second with the time so far, so
 * that silent work is seen to go on; its end with the time it took.
 */
export async function asTask<T>(
  ctx: Pick<Context, 'emit' | 'now' | 'signal'>,
  { id, title }: { readonly id: string; readonly title: string },
  work: (task: Task) => Promise<T>,
): Promise<T> {
  ctx.signal.throwIfAborted();
  const began = ctx.now();
  let newest = title;
  const tell = (): void => {
    ctx.emit({ type: 'task-output', id, line: newest, elapsedMs: ctx.now() - began });
  };
  const line = (text: string): void => {
    newest = text;
    tell();
  };
  const bytes = (name: string, total: number) => (done: number) => {
    line(`${name}: ${(done / 1e6).toFixed(1)} of ${(total / 1e6).toFixed(1)} MB`);
  };
  const end = (state: 'done' | 'failed'): void => {
    ctx.emit({ type: 'task', id, state, message: title, elapsedMs: ctx.now() - began });
  };
  ctx.emit({ type: 'task', id, state: 'start', message: title });
  const timer = setInterval(tell, repeatMs);
  try {
    const result = await work({ line, bytes });
    end('done');
    return result;
  } catch (error) {
    if (!ctx.signal.aborted) end('failed');
    throw error;
  } finally {
    clearInterval(timer);
  }
}
