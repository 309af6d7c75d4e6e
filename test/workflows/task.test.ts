import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { ProgressEvent } from '../../src/workflows/events.ts';
import { asTask } from '../../src/workflows/task.ts';

const task = { id: 't', title: 'work' };

function audience(signal = new AbortController().signal) {
  const events: ProgressEvent[] = [];
  return {
    events,
    ctx: { emit: (event: ProgressEvent) => events.push(event), now: () => Date.now(), signal },
  };
}

function statesOf(events: readonly ProgressEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'task' ? [event.state] : []));
}

describe('a task', () => {
  it('tells each line at once, and the newest one again while the work is silent', async () => {
    const { ctx, events } = audience();
    await asTask(ctx, task, async ({ line, bytes }) => {
      line('first');
      bytes('file', 4e6)(1e6);
      await sleep(1_200);
    });
    const lines = events.flatMap((event) => (event.type === 'task-output' ? [event.line] : []));
    expect(lines).toEqual(['first', 'file: 1.0 of 4.0 MB', 'file: 1.0 of 4.0 MB']);
    expect(statesOf(events)).toEqual(['start', 'done']);
  });

  it('says that it failed, but not when it was interrupted', async () => {
    const failing = audience();
    await expect(asTask(failing.ctx, task, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(statesOf(failing.events)).toEqual(['start', 'failed']);
    const stop = new AbortController();
    const stopped = audience(stop.signal);
    const work = (): Promise<never> => {
      stop.abort(new Error('interrupted'));
      return Promise.reject(new Error('interrupted'));
    };
    await expect(asTask(stopped.ctx, task, work)).rejects.toThrow('interrupted');
    expect(statesOf(stopped.events)).toEqual(['start']);
  });
});
