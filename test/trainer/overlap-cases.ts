import type { TrainerCase } from './cases.ts';
import { config, sharedSteps, tiny } from './tiny-case.ts';

export const asked = { superoffload: { optimizer: 'overlap' } };
export const overlapZero = (ratio: number) => ({
  stage: 3,
  overlap_comm: false,
  offload_optimizer: { device: 'cpu', ratio },
});

/** The mode prism_overlap: the overlay's optimizer in place of ZeRO-3's (patches/deepspeed). */
const overlap = (
  name: string,
  { ranks, microBatch, ratio }: { ranks: number; microBatch: number; ratio: number },
  argv: string[] = [],
  more: Readonly<Record<string, unknown>> = {},
): TrainerCase => ({
  name: `prism_overlap-${name}`,
  ranks,
  argv: tiny(sharedSteps, microBatch, ...argv),
  config: config(ranks, microBatch, overlapZero(ratio), { ...asked, ...more }),
});

/** A step that must be clipped is taken back and done again. */
export const overlapping: readonly TrainerCase[] = [
  overlap('1-rank', { ranks: 1, microBatch: 8, ratio: 1 }),
  overlap('1-rank-half-on-the-accelerator-clipped', { ranks: 1, microBatch: 8, ratio: 0.5 }, [], {
    gradient_clipping: 0.1,
  }),
  overlap('2-ranks-accumulation-2-checkpointed', { ranks: 2, microBatch: 2, ratio: 1 }, [
    '--checkpoint-activations',
  ]),
];
