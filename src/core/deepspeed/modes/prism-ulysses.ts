import {
  activationPart,
  bucketPart,
  gatheredLayersPart,
  hostPart,
  roundingSource,
} from '../../model/memory-parts.ts';
import { artifactSource, cpuOffload, type Mode } from './mode.ts';
import { superOffloadParts } from './subgroups.ts';

/** Elements of a subgroup and of a gradient bucket, as the artifact sets both for long sequences. */
const bucketElements = 1e8;

/** SuperOffload for long sequences: prism with the weights on the CPU too, each sequence shared by several GPUs. */
export const prismUlysses: Mode = {
  name: 'prism_ulysses',
  title: 'SuperOffload-Ulysses (PRISM)',
  aliases: ['superoffload_ulysses'],
  zeroStage: 3,
  needsCuda: true,
  offloadsOptimizer: true,
  offloadsParameters: true,
  superOffload: true,
  sharesSequences: true,
  defaultRatio: 0.99,
  workerProcesses: 1,
  ownSections: {},
  zeroOptimization: ({ ratio }) => ({
    stage: 3,
    overlap_comm: false,
    reduce_bucket_size: bucketElements,
    sub_group_size: bucketElements,
    offload_param: cpuOffload,
    offload_optimizer: { ...cpuOffload, ratio: ratio ?? 0.99 },
  }),
  memory: (input) => [
    gatheredLayersPart(input),
    bucketPart(input),
    activationPart(input),
    ...superOffloadParts(input),
    hostPart('16-bit weights, pinned', input.pinned(input.weightBytes * input.shard), roundingSource),
  ],
  sources: [
    artifactSource,
    'DeepSpeed 0.19.8, runtime/superoffload: needs `super_offload` and an NVIDIA GPU',
    "memory: prism's, with the weights where zero_infinity_param has them",
  ],
};
