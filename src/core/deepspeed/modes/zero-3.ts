import {
  bucketPart,
  gatheredLayersPart,
  gpuPart,
  optimizerBytes,
  shardedGradientParts,
} from '../../model/memory-parts.ts';
import type { Mode } from './mode.ts';

/** Weights, gradients and optimizer state shared by the ranks, nothing on the host. */
export const zero3: Mode = {
  name: 'zero_3',
  title: 'ZeRO-3',
  aliases: ['zero3'],
  zeroStage: 3,
  needsCuda: false,
  offloadsOptimizer: false,
  offloadsParameters: false,
  superOffload: false,
  sharesSequences: false,
  defaultRatio: null,
  workerProcesses: 0,
  ownSections: {},
  zeroOptimization: () => ({ stage: 3 }),
  memory: (input) => [
    gpuPart('weights', input.shard * input.weightBytes),
    gpuPart('optimizer state', input.shard * optimizerBytes),
    gatheredLayersPart(input),
    ...shardedGradientParts(input),
    bucketPart(input),
  ],
  sources: ['paper, figure 11; DeepSpeed defaults for stage 3'],
};
