import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, System } from '../experiment/case.ts';
import { activationsOf, checkpointBytes } from './activations.ts';
import { hostPart, powerOfTwo, type MemoryInput, type PartBytes } from './memory-parts.ts';
import { processParts } from './process-memory.ts';
import { parameterCount } from './shape.ts';
import { subgroupSizes } from './subgroup-sizes.ts';

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

/**
 * What PyTorch's host allocator makes of a pinned block. It rounds up to a power of two: measured on torch 2.11, and
 * so since 1.11 (pytorch/pytorch issue 95823). `none`: blocks registered in place, or an allocator told not to round.
 */
export const pinnedRoundings = ['power-of-two', 'none'] as const;
export type PinnedRounding = (typeof pinnedRoundings)[number];

export interface MemoryOptions {
  /** Default: as measured, `power-of-two`. Ranks without a GPU pin nothing. */
  readonly pinnedRounding?: PinnedRounding;
}

const offloadSource =
  'DeepSpeed, runtime/activation_checkpointing, cpu_checkpointing: the input of every layer, 16 bit';

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
  const state = modes[testCase.mode].memory(memoryInput(testCase, machine, options));
  const offloaded = testCase.activationOffload
    ? [hostPart('kept activations', checkpointBytes(testCase), offloadSource)]
    : [];
  const parts = [...state, ...offloaded, ...processParts(testCase, machine, state)].map((part): MemoryPart =>
    inGiB(part, onCpu),
  );
  const ranks = onCpu ? testCase.chips : Math.min(testCase.chips, machine.chipsPerNode);
  const total = (where: 'gpu' | 'host'): number =>
    parts.reduce((sum, part) => (part.where === where ? sum + part.gib : sum), 0);
  return { gpuGiB: total('gpu'), hostGiB: total('host') * ranks, parts };
}

function inGiB({ what, where, bytes, source }: PartBytes, onCpu: boolean): MemoryPart {
  return { what, where: onCpu ? 'host' : where, gib: bytes / bytesPerGiB, source };
}

function memoryInput(testCase: Case, machine: Machine, options: MemoryOptions): MemoryInput {
  const { model, sequenceLength, chips, mode } = testCase;
  const parameters = parameterCount(model, sequenceLength);
  const zero = modes[mode].zeroOptimization(testCase);
  const setting = (key: string, fallback: number): number => {
    const value = testCase.deepspeedOverrides[`zero_optimization.${key}`] ?? zero[key];
    return typeof value === 'number' ? value : fallback;
  };
  const bucket = setting('reduce_bucket_size', 5e8);
  const pinned = machine.accelerator === 'cuda' && options.pinnedRounding !== 'none';
  return {
    chips,
    parameters,
    shard: parameters / chips,
    weightBytes: testCase.dtype === 'fp32' ? 4 : 2,
    largestMatrix: model.hidden * Math.max(model.paddedVocabulary, sequenceLength, 4 * model.hidden),
    ratio: testCase.ratio ?? 1,
    subgroups: subgroupSizes(model, { sequenceLength, chips, subGroupSize: setting('sub_group_size', 1e9) }),
    // On a CPU no page of the bucket is there before it is written to.
    reduceBucketSize: machine.accelerator === 'cuda' ? bucket : Math.min(bucket, parameters),
    maxLiveParameters: setting('stage3_max_live_parameters', 1e9),
    activations: activationsOf(testCase),
    accumulates: testCase.gradientAccumulation > 1,
    pinned: pinned ? powerOfTwo : (bytes) => bytes,
  };
}

/** Whether an estimate fits a machine, and what is lacking where it does not. */
export interface Fit {
  readonly fits: boolean;
  /** For example `needs 60.5 GiB of host memory, the machine has 31.0`; null where it fits. */
  readonly lacks: string | null;
}

/** Compares a need with a machine. Memory of unknown size is taken as enough. */
export function fits(estimate: MemoryEstimate, machine: Pick<System, 'gpuGiB' | 'hostGiB'>): Fit {
  const lacking = [
    shortage('GPU memory a chip', estimate.gpuGiB, machine.gpuGiB),
    shortage('host memory', estimate.hostGiB, machine.hostGiB),
  ].filter((text) => text !== null);
  return { fits: lacking.length === 0, lacks: lacking.length === 0 ? null : lacking.join('; ') };
}

function shortage(what: string, need: number, have: number | null): string | null {
  if (have === null || need <= have) return null;
  return `needs about ${need.toFixed(1)} GiB of ${what}, the machine has ${have.toFixed(1)}`;
}
