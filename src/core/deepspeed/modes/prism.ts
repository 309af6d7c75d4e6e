import { activationPart, bucketPart, gatheredLayersPart, gpuPart } from '../../model/memory-parts.ts';
import { artifactSource, cpuOffload, type Mode } from './mode.ts';
import { superOffloadParts } from './subgroups.ts';

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
  superOffload: true,
  sharesSequences: false,
  defaultRatio: 0.9,
  workerProcesses: 1,
  ownSections: {},
  zeroOptimization: ({ ratio }) => ({
    stage: 3,
    overlap_comm: false,
    reduce_bucket_size: bucketElements,
    sub_group_size: bucketElements,
    offload_optimizer: { ...cpuOffload, ratio: ratio ?? 0.9 },
  }),
  memory: (input) => [
    gpuPart('weights', input.shard * input.weightBytes),
    gatheredLayersPart(input),
    bucketPart(input),
    activationPart(input),
    ...superOffloadParts(input),
  ],
  sources: [
    artifactSource,
    'DeepSpeed 0.19.8, runtime/superoffload: needs `super_offload` and an NVIDIA GPU',
  ],
};
