import { gpuPart, hostPart } from '../../model/memory-parts.ts';
import { stage2OffloadParts } from '../../model/stage2-memory.ts';
import { artifactSource, cpuOffload, type Mode } from './mode.ts';

/** ZeRO-Offload: ZeRO-2 with the whole optimizer on the CPU. */
export const zeroOffload: Mode = {
  name: 'zero_offload',
  title: 'ZeRO-Offload',
  aliases: ['zero-offload', 'zerooffload'],
  zeroStage: 2,
  needsCuda: false,
  offloadsOptimizer: true,
  offloadsParameters: false,
  superOffload: false,
  sharesSequences: false,
  defaultRatio: null,
  workerProcesses: 0,
  ownSections: {},
  zeroOptimization: () => ({ stage: 2, offload_optimizer: cpuOffload }),
  memory: (input) => [
    gpuPart('weights', input.parameters * input.weightBytes),
    ...stage2OffloadParts(input),
    hostPart('fp32 weights, pinned', input.pinned(4 * input.shard), input.pinnedSource),
    ...(input.fusesCasts
      ? []
      : [hostPart('fp32 gradients, pinned', input.pinned(4 * input.shard), input.pinnedSource)]),
    hostPart(
      input.fusesCasts ? 'gradients, then returning weights, pinned' : 'weights on their way back, pinned',
      input.pinned(input.weightBytes * input.shard),
      input.pinnedSource,
    ),
    hostPart('moments', 8 * input.shard),
  ],
  sources: [artifactSource],
};
