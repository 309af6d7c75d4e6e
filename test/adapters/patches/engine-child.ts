/** Runs the real engine in a process of its own: `engine-child.ts JSON`. See child.ts. */
import { writeSync } from 'node:fs';
import { applyToTree, revertTree } from '../../../src/adapters/patches/engine.ts';
import type { PatchFacts } from '../../../src/core/patches/series.ts';
import { SuperOffloadError } from '../../../src/errors.ts';
import { options, requestOf } from './sample.ts';

export interface Job {
  readonly tree: string;
  readonly seriesFolder: string;
  readonly facts: PatchFacts;
  readonly action?: 'apply' | 'revert';
  /** After this many steps the process stands still for ever. */
  readonly stopAfter?: number;
}

const job = JSON.parse(process.argv[2] ?? '') as Job;
let count = 0;
const onStep = (line: string): void => {
  writeSync(1, `${line}\n`);
  count += 1;
  if (count === job.stopAfter) {
    writeSync(1, 'stopped\n');
    // Blocks the thread itself: nothing that was started goes on meanwhile.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  }
};

async function main(): Promise<void> {
  if (job.action === 'revert') await revertTree(job.tree, { ...options(onStep), isDryRun: false });
  else await applyToTree(job.tree, await requestOf(job.seriesFolder, job.facts), options(onStep));
}

main().catch((error: unknown) => {
  const failure = error instanceof SuperOffloadError ? `${error.code}: ${error.message}` : String(error);
  writeSync(2, `FAILURE ${failure}\n`);
  process.exitCode = 1;
});
