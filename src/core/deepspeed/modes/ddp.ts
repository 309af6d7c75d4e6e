import { gpuPart, gradientsOrActivations, optimizerBytes } from '../../model/memory-parts.ts';
import type { Mode } from './mode.ts';

/** Everything on every GPU: the paper's PyTorch DDP baseline, through the same engine. */
export const ddp: Mode = {
  name: 'ddp',
  title: 'DDP (ZeRO-0)',
  aliases: ['zero_0'],
  zeroStage: 0,
  needsCuda: false,
  offloadsOptimizer: false,
  offloadsParameters: false,
  superOffload: false,
  sharesSequences: false,
  defaultRatio: null,
  workerProcesses: 0,
  ownSections: {},
  zeroOptimization: () => ({ stage: 0 }),
  memory: (input) => [
    gpuPart('weights', input.parameters * input.weightBytes),
    gpuPart('optimizer state', input.parameters * (input.weightBytes === 4 ? 8 : optimizerBytes)),
    gradientsOrActivations(input, input.parameters),
  ],
  sources: ['paper, figure 10: 18 bytes a parameter on the GPU'],
};
