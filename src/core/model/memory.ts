import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, System } from '../experiment/case.ts';
import {
  activationBytes,
  checkpointBytes,
  hostPart,
  powerOfTwo,
  type MemoryInput,
  type PartBytes,
} from './memory-parts.ts';
import { layerParameterCount, parameterCount } from './shape.ts';

/** One thing that needs memory, GiB a chip. */
interface MemoryPart {
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

const offloadSource =
  'DeepSpeed, runtime/activation_checkpointing, cpu_checkpointing: the input of every layer, 16 bit';

type Machine = Pick<System, 'accelerator' | 'chipsPerNode'>;
const bytesPerGiB = 2 ** 30;

/** Measured: 0.5 to 0.7 GiB PSS of a CPU rank of the built-in trainer with 0.2e6 parameters, by mode. */
const processBytes = 0.66 * bytesPerGiB;

/**
 * Estimates what a case needs on one node of `machine`.
 * @returns GiB a chip on the GPU and a node on the host, with every part and its source.
 */
export function estimateMemory(testCase: Case, machine: Machine): MemoryEstimate {
  const mode = modes[testCase.mode];
  const input = memoryInput(testCase, machine);
  const onCpu = machine.accelerator === 'cpu';
  const offloaded = testCase.activationOffload
    ? [hostPart('kept activations', checkpointBytes(testCase), offloadSource)]
    : [];
  const state = [...mode.memory(input), ...offloaded, processPart(mode.workerProcesses)];
  const parts = state.map((part): MemoryPart => ({
    what: part.what,
    where: onCpu ? 'host' : part.where,
    gib: part.bytes / bytesPerGiB,
    source: part.source,
  }));
  const ranks = onCpu ? testCase.chips : Math.min(testCase.chips, machine.chipsPerNode);
  const total = (where: 'gpu' | 'host'): number =>
    parts.filter((part) => part.where === where).reduce((sum, part) => sum + part.gib, 0);
  return { gpuGiB: total('gpu'), hostGiB: total('host') * ranks, parts };
}

function memoryInput(testCase: Case, machine: Machine): MemoryInput {
  const { model, sequenceLength, chips, mode } = testCase;
  const parameters = parameterCount(model, sequenceLength);
  const embedding = model.paddedVocabulary * model.hidden;
  const zero = modes[mode].zeroOptimization(testCase);
  const setting = (key: string, fallback: number): number => {
    const value = testCase.deepspeedOverrides[`zero_optimization.${key}`] ?? zero[key];
    return typeof value === 'number' ? value : fallback;
  };
  return {
    parameters,
    shard: parameters / chips,
    weightBytes: testCase.dtype === 'fp32' ? 4 : 2,
    largestLayer: Math.max(layerParameterCount(model.hidden), embedding),
    ratio: testCase.ratio ?? 1,
    subGroupSize: setting('sub_group_size', 1e9),
    reduceBucketSize: setting('reduce_bucket_size', 5e8),
    activationBytes: activationBytes(testCase),
    accumulates: testCase.gradientAccumulation > 1,
    pinned: machine.accelerator === 'cuda' ? powerOfTwo : (bytes) => bytes,
  };
}

function processPart(workers: number): PartBytes {
  return {
    what: workers === 0 ? 'Python process' : `Python process and ${workers} worker`,
    where: 'host',
    bytes: processBytes * (1 + workers),
    source:
      'measured: PSS of a rank that trains next to nothing, torch 2.15.0, DeepSpeed 0.19.8, Python 3.11',
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
