import { afterAll, beforeEach } from 'vitest';
import type { Context } from '../../../src/workflows/context.ts';
import type { ProgressEvent } from '../../../src/workflows/events.ts';
import { removeSmallStacks, smallStack, type SmallStack } from '../../adapters/stack/small-stack.ts';
import { packageRoot } from '../throughput/plan-context.ts';

/** A small stack, new for each test, and a context in which it is the one that is installed. */
export let stack: SmallStack;
export let ctx: Context;
export let events: ProgressEvent[];
beforeEach(async () => {
  stack = await smallStack();
  events = [];
  ctx = {
    env: { PATH: '/usr/bin:/bin', DS_ACCELERATOR: 'cpu' },
    ...{ cwd: stack.home, home: stack.home, packageRoot, now: Date.now },
    emit: (event) => void events.push(event),
    ...{ signal: new AbortController().signal, force: new AbortController().signal },
  };
});
afterAll(removeSmallStacks);
