import {
  activationPart,
  bucketPart,
  gatheredLayersPart,
  gpuPart,
  hostPart,
} from '../../model/memory-parts.ts';
import { artifactSource, cpuOffload, type Mode } from './mode.ts';
import { offloadedOptimizerParts } from './subgroups.ts';

/** "Never partition again, never release": the artifact sets all four thresholds beyond any model. */
const everything = 1e12;

/** ZeRO-3 with a CPU optimizer as the artifact runs it: every weight stays gathered on the GPU. No NVMe. */
export const zeroInfinity: Mode = {
  name: 'zero_infinity',
  title: 'ZeRO-Infinity (artifact)',
  aliases: ['zero-infinity', 'zeroinfinity'],
  zeroStage: 3,
  needsCuda: false,
  offloadsOptimizer: true,
  offloadsParameters: false,
  superOffload: false,
  sharesSequences: false,
  defaultRatio: null,
  workerProcesses: 0,
  ownSections: {},
  zeroOptimization: () => ({
    stage: 3,
    stage3_max_live_parameters: everything,
    stage3_max_reuse_distance: everything,
    stage3_prefetch_bucket_size: everything,
    stage3_param_persistence_threshold: everything,
    offload_optimizer: cpuOffload,
  }),
  memory: (input) => [
    gpuPart('weights of the partition', input.shard * input.weightBytes),
    gatheredLayersPart(input),
    bucketPart(input),
    activationPart(input),
    ...offloadedOptimizerParts(input),
  ],
  sources: [artifactSource],
};

/** ZeRO-3 with optimizer and weights on the CPU, as the paper describes ZeRO-Infinity; DeepSpeed's thresholds. */
export const zeroInfinityParam: Mode = {
  name: 'zero_infinity_param',
  title: 'ZeRO-Infinity (offload_param)',
  aliases: ['zero-infinity-param'],
  zeroStage: 3,
  needsCuda: false,
  offloadsOptimizer: true,
  offloadsParameters: true,
  superOffload: false,
  sharesSequences: false,
  defaultRatio: null,
  workerProcesses: 0,
  ownSections: {},
  zeroOptimization: () => ({ stage: 3, offload_optimizer: cpuOffload, offload_param: cpuOffload }),
  memory: (input) => [
    gatheredLayersPart(input, true),
    bucketPart(input),
    activationPart(input),
    ...offloadedOptimizerParts(input),
    hostPart('16-bit weights, pinned', input.pinned(input.weightBytes * input.shard), input.pinnedSource),
  ],
  sources: [
    'paper, section on baselines: ZeRO-Infinity offloads weights too',
    'DeepSpeed defaults for stage 3',
  ],
};
