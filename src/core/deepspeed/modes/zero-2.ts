import { gpuPart, optimizerBytes } from '../../model/memory-parts.ts';
import { stage2Part } from '../../model/stage2-memory.ts';
import type { Mode } from './mode.ts';

/** Optimizer state and gradients shared by the ranks, nothing on the host. */
export const zero2: Mode = {
  name: 'zero_2',
  title: 'ZeRO-2',
  aliases: ['zero2'],
  zeroStage: 2,
  needsCuda: false,
  offloadsOptimizer: false,
  offloadsParameters: false,
  superOffload: false,
  sharesSequences: false,
  defaultRatio: null,
  workerProcesses: 0,
  ownSections: {},
  zeroOptimization: () => ({ stage: 2 }),
  memory: (input) => [
    gpuPart('weights', input.parameters * input.weightBytes),
    gpuPart('optimizer state', input.shard * optimizerBytes),
    stage2Part(input),
  ],
  sources: ['paper, figure 11; DeepSpeed defaults for stage 2'],
};
