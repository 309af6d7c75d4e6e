import {
  activationPart,
  bucketPart,
  gatheredLayersPart,
  gpuPart,
  hostPart,
} from '../../model/memory-parts.ts';
import { cpuOffload, type Mode } from './mode.ts';
import { splitSubgroups } from './subgroups.ts';

/** SuperOffload with this project's optimizer: the idea of the paper in an implementation of its own. */
export const prismOverlap: Mode = {
  name: 'prism_overlap',
  title: 'SuperOffload (overlap)',
  aliases: ['prism-overlap', 'superoffload_overlap', 'overlap'],
  zeroStage: 3,
  needsCuda: false,
  offloadsOptimizer: true,
  offloadsParameters: false,
  // The overlay takes the place of ZeRO-3's CPU optimizer; a DeepSpeed without it runs plain ZeRO-3 offload.
  superOffload: false,
  sharesSequences: false,
  defaultRatio: 1,
  workerProcesses: 0,
  ownSections: { superoffload: { optimizer: 'overlap' } },
  zeroOptimization: ({ ratio }) => ({
    stage: 3,
    overlap_comm: false,
    offload_optimizer: { ...cpuOffload, ratio: ratio ?? 1 },
  }),
  memory: (input) => {
    const { cpuElements, gpuElements } = splitSubgroups(input.subgroups, input.ratio);
    return [
      gpuPart('weights', input.shard * input.weightBytes),
      gatheredLayersPart(input),
      bucketPart(input),
      activationPart(input),
      gpuPart('optimizer state and gradients that stay on the GPU', 16 * gpuElements),
      hostPart('fp32 weights and moments', 12 * cpuElements),
      hostPart('gradients and returning weights, one registered buffer', input.weightBytes * cpuElements),
    ];
  },
  sources: [
    'patches/deepspeed: needs the overlay of this project (superoffload install, or superoffload patch)',
  ],
};
