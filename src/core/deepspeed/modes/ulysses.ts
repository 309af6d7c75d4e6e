import {
  bucketPart,
  gatheredLayersPart,
  gpuPart,
  optimizerBytes,
  shardedGradientParts,
} from '../../model/memory-parts.ts';
import { artifactSource, type Mode } from './mode.ts';

/** DeepSpeed-Ulysses: ZeRO-3 with everything on the GPUs, each sequence shared by several of them. */
export const ulysses: Mode = {
  name: 'ulysses',
  title: 'Ulysses (ZeRO-3)',
  aliases: ['deepspeed-ulysses'],
  zeroStage: 3,
  needsCuda: false,
  offloadsOptimizer: false,
  offloadsParameters: false,
  superOffload: false,
  sharesSequences: true,
  defaultRatio: null,
  workerProcesses: 0,
  ownSections: {},
  zeroOptimization: () => ({ stage: 3, overlap_comm: false }),
  memory: (input) => [
    gpuPart('weights', input.shard * input.weightBytes),
    gpuPart('optimizer state', input.shard * optimizerBytes),
    gatheredLayersPart(input),
    ...shardedGradientParts(input),
    bucketPart(input),
  ],
  sources: [artifactSource, 'paper, figure 12: activations alone are shared beyond ZeRO-3'],
};
