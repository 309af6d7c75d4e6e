import { modes } from '../deepspeed/modes/registry.ts';
import { objectAt } from '../deepspeed/super-offload.ts';
import type { Case, ModeName, System } from '../experiment/case.ts';
import { activationsOf, checkpoints } from './activations.ts';
import {
  hostPart,
  powerOfTwo,
  registeredSource,
  roundingSource,
  type MemoryInput,
  type OverlapInput,
  type PartBytes,
} from './memory-parts.ts';
import { overlapSubgroups } from './overlap-subgroups.ts';
import { processParts } from './process-memory.ts';
import { parameterCount } from './shape.ts';
import { software, type PinnedRounding, type SoftwareMemory, type SoftwareName } from './software.ts';
import { subgroupSizes } from './subgroup-sizes.ts';
import { superoffloadSettings, usesOverlap } from './superoffload-settings.ts';

/** One thing that needs memory, GiB a chip. */
export interface MemoryPart {
  readonly what: string;
  readonly where: 'gpu' | 'host';
  readonly gib: number;
  readonly source: string;
}

/** First-order need of a case. Fragmentation and library workspaces come on top. */
export interface MemoryEstimate {
  /** GPU memory, GiB a chip; 0 where ranks run on the CPU. */
  readonly gpuGiB: number;
  /** Host memory, GiB a node, all its ranks together. */
  readonly hostGiB: number;
  readonly parts: readonly MemoryPart[];
}

/** Which software takes the memory. */
export interface MemoryOptions {
  /** Default: `measured`. */
  readonly software?: SoftwareName;
  /** In place of the software's own. Ranks without a GPU pin nothing. */
  readonly pinnedRounding?: PinnedRounding;
}

/** The software that options name, with their rounding. */
export function softwareOf({ software: name = 'measured', pinnedRounding }: MemoryOptions): SoftwareMemory {
  return pinnedRounding === undefined ? software[name] : { ...software[name], pinnedRounding };
}

/** The part that is there for some seconds of a run's start: a sample of the host's memory may miss it. */
export const passingWeights = 'weights on their way into one buffer, at the start';

const defragmentSource =
  'runtime/zero/utils.py, defragment; measured: ZeRO-3 and the overlap optimizer at ratio 0 to 0.05, 3B to 7B on an H200';

type Machine = Pick<System, 'accelerator' | 'chipsPerNode'>;
const bytesPerGiB = 2 ** 30;

/**
 * Estimates what a case needs on one node of `machine`.
 * @returns GiB a chip on the GPU and a node on the host, with every part and its source.
 */
export function estimateMemory(
  testCase: Case,
  machine: Machine,
  options: MemoryOptions = {},
): MemoryEstimate {
  const onCpu = machine.accelerator === 'cpu';
  const input = memoryInput(testCase, machine, options);
  const stepped = usesOverlap(testCase) ? { ...testCase, mode: 'prism_overlap' as const } : testCase;
  const state = modes[stepped.mode].memory(input);
  const offloaded = testCase.activationOffload
    ? [offloadedPart(testCase, pinnedByTorch(machine, options))]
    : [];
  const training = [...state, ...offloaded];
  const passing = onCpu ? [] : defragmentParts(input, stepped.mode, training);
  const parts = [...training, ...passing, ...processParts(stepped, machine, state)].map((part): MemoryPart =>
    inGiB(part, onCpu),
  );
  const ranks = onCpu ? testCase.chips : Math.min(testCase.chips, machine.chipsPerNode);
  const total = (where: 'gpu' | 'host'): number =>
    parts.reduce((sum, part) => (part.where === where ? sum + part.gib : sum), 0);
  return { gpuGiB: total('gpu'), hostGiB: total('host') * ranks, parts };
}

/**
 * ZeRO-3 takes its partition of the weights off the GPU into one flat buffer on the host, and back, before there is any
 * optimizer state: what that needs beyond what training needs there later. Where ranks run on the CPU, that buffer is where the weights stay.
 */
function defragmentParts(input: MemoryInput, mode: ModeName, training: readonly PartBytes[]): PartBytes[] {
  if (modes[mode].zeroStage !== 3 || modes[mode].offloadsParameters) return [];
  const later = training.reduce((sum, { where, bytes }) => (where === 'host' ? sum + bytes : sum), 0);
  const beyond = input.shard * input.weightBytes - later;
  return beyond <= 0 ? [] : [hostPart(passingWeights, beyond, defragmentSource)];
}

/** The built-in trainer pins the input of every layer by itself; Megatron has DeepSpeed keep them, pageable. */
function offloadedPart(subject: Case, pinned: (bytes: number) => number): PartBytes {
  const { copies, bytes } = checkpoints(subject);
  return subject.workload === 'builtin'
    ? hostPart(
        'kept activations, pinned',
        copies * pinned(bytes),
        `experiment/trainer/offload.py; ${roundingSource}`,
      )
    : hostPart(
        'kept activations',
        copies * bytes,
        'DeepSpeed, runtime/activation_checkpointing, cpu_checkpointing: the input of every layer, 16 bit',
      );
}

function inGiB({ what, where, bytes, source }: PartBytes, onCpu: boolean): MemoryPart {
  return { what, where: onCpu ? 'host' : where, gib: bytes / bytesPerGiB, source };
}

function memoryInput(testCase: Case, machine: Machine, options: MemoryOptions): MemoryInput {
  const { model, sequenceLength, chips } = testCase;
  const parameters = parameterCount(model, sequenceLength);
  const setting = (key: string, fallback: number): number => settingOf(testCase, key, fallback);
  const bucket = setting('reduce_bucket_size', 5e8);
  const { hostMemory, casts } = superoffloadSettings(testCase);
  return {
    chips,
    parameters,
    shard: parameters / chips,
    weightBytes: testCase.dtype === 'fp32' ? 4 : 2,
    bucketElementBytes: testCase.dtype === 'fp32' || testCase.sequenceParallel > 1 ? 4 : 2,
    largestMatrix: model.hidden * Math.max(model.paddedVocabulary, sequenceLength, 4 * model.hidden),
    ratio: cpuRatio(testCase),
    subgroups: subgroupSizes(model, { sequenceLength, chips, subGroupSize: setting('sub_group_size', 1e9) }),
    // On a CPU no page of the bucket is there before it is written to.
    reduceBucketSize: machine.accelerator === 'cuda' ? bucket : Math.min(bucket, parameters),
    maxLiveParameters: setting('stage3_max_live_parameters', 1e9),
    activations: activationsOf(testCase),
    accumulates: testCase.gradientAccumulation > 1,
    overlap: overlapInput(testCase),
    software: softwareOf(options),
    pinnedSource: hostMemory === 'registered' ? registeredSource : roundingSource,
    pinned: hostMemory === 'registered' ? exactly : pinnedByTorch(machine, options),
    fusesCasts: casts === 'fused' && modes[testCase.mode].zeroStage === 2,
  };
}

/** What PyTorch's host allocator takes for a pinned block. */
function pinnedByTorch(
  { accelerator }: Pick<System, 'accelerator'>,
  options: MemoryOptions,
): (bytes: number) => number {
  return accelerator === 'cuda' && softwareOf(options).pinnedRounding === 'power-of-two'
    ? powerOfTwo
    : exactly;
}

function exactly(bytes: number): number {
  return bytes;
}

/** In a case that the overlap optimizer does not step, nothing reads it: then it is not worked out. */
function overlapInput(subject: Case): OverlapInput {
  const { subgroupElements, speculation } = superoffloadSettings(subject);
  const { sequenceLength, chips, deepspeedOverrides, dtype } = subject;
  const cut = usesOverlap(subject)
    ? overlapSubgroups(subject.model, { sequenceLength, chips, subgroupElements })
    : { sizes: [], turning: 0 };
  const clipping = deepspeedOverrides['gradient_clipping'] ?? subject.gradientClipping;
  const accumulatesIn = deepspeedOverrides['data_types.grad_accum_dtype'];
  return {
    ...cut,
    speculation,
    clips: clipping !== 0,
    accumulationBytes: dtype === 'fp32' || accumulatesIn === 'fp32' ? 4 : 2,
  };
}

/** A number of `zero_optimization`: the user's, else the mode's, else DeepSpeed's own. */
export function settingOf(subject: Case, key: string, fallback: number): number {
  const own = modes[subject.mode].zeroOptimization(subject)[key];
  const value = subject.deepspeedOverrides[`zero_optimization.${key}`] ?? own;
  return typeof value === 'number' ? value : fallback;
}

/**
 * The share of the optimizer that the CPU steps; of a mode without `--ratio` what an experiment's row, or a JSON of the user's,
 * which has the section as a whole, gives DeepSpeed's ZeRO-3 offload.
 */
export function cpuRatio(subject: Case): number {
  const { ratio } = objectAt(subject.deepspeedOverrides, 'zero_optimization.offload_optimizer');
  const given = typeof ratio === 'number' ? ratio : settingOf(subject, 'offload_optimizer.ratio', 1);
  return subject.ratio ?? given;
}
