import {
  activationPart,
  bucketPart,
  gatheredLayersPart,
  gpuPart,
  hostPart,
  roundingSource,
} from '../../model/memory-parts.ts';
import { artifactSource, cpuOffload, type Mode } from './mode.ts';
import { cpuOptimizerParts, subgroupsOf } from './subgroups.ts';

/** Elements of a subgroup and of a gradient bucket, as the artifact sets both. */
const bucketElements = 6e8;

/** SuperOffload (PRISM): ZeRO-3 whose optimizer steps on the CPU while the backward pass still runs. */
export const prism: Mode = {
  name: 'prism',
  title: 'SuperOffload (PRISM)',
  aliases: ['superoffload', 'super-offload', 'super_offload'],
  zeroStage: 3,
  needsCuda: true,
  offloadsOptimizer: true,
  offloadsParameters: false,
  defaultRatio: 0.9,
  workerProcesses: 1,
  // DeepSpeed from PyPI runs nothing of SuperOffload without `super_offload`; the fork has no such key.
  zeroOptimization: ({ ratio }) => ({
    stage: 3,
    overlap_comm: false,
    reduce_bucket_size: bucketElements,
    sub_group_size: bucketElements,
    offload_optimizer: { ...cpuOffload, ratio: ratio ?? 0.9, super_offload: true },
  }),
  memory: (input) => {
    const subgroups = subgroupsOf(input);
    const stateOnGpu = 16 * (1 - subgroups.cpuShare) * input.shard;
    return [
      gpuPart('weights', input.shard * input.weightBytes),
      gpuPart('optimizer state and fp32 gradients that stay on the GPU', stateOnGpu),
      gatheredLayersPart(input),
      bucketPart(input),
      activationPart(input),
      // The worker shares weights and moments; the pinned gradient blocks stay in the host cache when the
      // gradients move to shared memory, which is the second copy of them.
      ...cpuOptimizerParts(input, subgroups),
      hostPart('fp32 gradients in shared memory', 4 * subgroups.cpuShare * input.shard),
      hostPart("the worker's gradient buffer", input.pinned(4 * subgroups.size), roundingSource),
    ];
  },
  sources: [
    artifactSource,
    'DeepSpeed 0.19.8, runtime/superoffload: needs `super_offload` and an NVIDIA GPU',
  ],
};
