/** What SuperOffload's worker process is given in one backward pass. Elements are parameters of one rank. */
export interface WorkerQueue {
  /** On the CPU, in the order of the parameters, the vectors last. */
  readonly subgroups: readonly number[];
  /** All of the rank's gradients, those that stay on the GPU too. */
  readonly elements: number;
  /** Gradients are handled when so many are there (`reduce_bucket_size`). */
  readonly bucketElements: number;
  /** The backward pass with all that is done with gradients in it. */
  readonly backwardMs: number;
  /** What the worker takes for so many parameters. */
  readonly stepMs: (elements: number) => number;
}

/**
 * The worker takes one subgroup after another, in the order in which their gradients are complete: those of the last
 * layers first, and none before the bucket is full in which its last gradient lies. ZeRO-3 takes a bucket's gradients in the
 * order of the parameters, so that a subgroup which ends in a bucket has its last one at the bucket's end.
 * @returns milliseconds from the end of the backward pass until the worker has stepped all of them
 */
export function workerLagMs({ subgroups, elements, bucketElements, ...queue }: WorkerQueue): number {
  const { backwardMs, stepMs } = queue;
  const bucket = Math.min(bucketElements, elements);
  let made = 0;
  let freeMs = 0;
  for (const size of subgroups.slice(0, -1).reverse()) {
    made += size;
    const handled = Math.min(elements, Math.ceil(made / bucket) * bucket);
    freeMs = Math.max(freeMs, (backwardMs * handled) / elements) + stepMs(size);
  }
  const vectors = subgroups.at(-1) ?? 0;
  return Math.max(freeMs, backwardMs) + stepMs(vectors) - backwardMs;
}
