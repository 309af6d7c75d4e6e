import { modes } from '../deepspeed/modes/registry.ts';
import { splitSubgroups } from '../deepspeed/modes/subgroups.ts';
import type { Case, System } from '../experiment/case.ts';
import { activationsOf } from './activations.ts';
import { cpuRatio, settingOf } from './memory.ts';
import { overlapShares, overlapSubgroups, type OverlapShares } from './overlap-subgroups.ts';
import { forwardAttentionFlops, parameterCount, trainingFlops } from './shape.ts';
import { subgroupSizes } from './subgroup-sizes.ts';
import { superoffloadSettings, usesOverlap } from './superoffload-settings.ts';

/** What one chip does in one optimizer step. Elements are parameters, traffic is bytes. */
export interface StepWork {
  readonly chips: number;
  readonly nodes: number;
  readonly sharesSequences: boolean;
  readonly parameters: number;
  /** Elements of the rank's partition of gradients and optimizer. */
  readonly shard: number;
  /** Of them, those whose optimizer is on the CPU, and of ZeRO-3's own their subgroups in the order of the parameters. */
  readonly cpuElements: number;
  readonly cpuSubgroups: readonly number[];
  readonly weightBytes: number;
  /** FLOPs of the forward passes, the backward passes, and the recomputation. */
  readonly forwardFlops: number;
  readonly backwardFlops: number;
  readonly recomputeFlops: number;
  /** Of the forward passes' FLOPs, those of attention. */
  readonly attentionFlops: number;
  /** Activations that the forward passes write, recomputed or not, bytes. */
  readonly activationBytes: number;
  /** Bytes that a chip sends in one all-to-all of DeepSpeed-Ulysses, and how many there are a step. */
  readonly exchangeBytes: number;
  readonly exchanges: number;
  readonly accumulation: number;
}

/**
 * Counts the work of one chip. Attention counts in full, as it does in every TFLOPS here: a causal kernel executes half of
 * the s^2 term, at a lower rate than a matrix product.
 */
export function stepWork(subject: Case, system: Pick<System, 'chipsPerNode'>): StepWork {
  const { model, chips, sequenceLength, sequenceParallel, gradientAccumulation: accumulation } = subject;
  const parameters = parameterCount(model, sequenceLength);
  const flops = (recompute: boolean): number =>
    trainingFlops({ shape: model, globalBatch: subject.globalBatch, sequenceLength, recompute }) / chips;
  const forwardFlops = flops(false) / 3;
  const { kept, logits } = activationsOf({ ...subject, activationCheckpointing: false });
  const passes = subject.activationCheckpointing ? 3 : 2;
  const tokens = (subject.microBatch * sequenceLength) / sequenceParallel;
  return {
    chips,
    nodes: Math.ceil(chips / system.chipsPerNode),
    sharesSequences: sequenceParallel > 1,
    parameters,
    shard: parameters / chips,
    ...cpuShare(subject, parameters),
    weightBytes: subject.dtype === 'fp32' ? 4 : 2,
    forwardFlops,
    backwardFlops: 2 * forwardFlops,
    recomputeFlops: subject.activationCheckpointing ? forwardFlops : 0,
    attentionFlops:
      forwardAttentionFlops({ shape: model, globalBatch: subject.globalBatch, sequenceLength }) / chips,
    activationBytes: accumulation * (kept + logits),
    exchangeBytes: 2 * tokens * model.hidden * (1 - 1 / sequenceParallel),
    exchanges: sequenceParallel > 1 ? 4 * passes * model.layers * accumulation : 0,
    accumulation,
  };
}

function cpuShare(subject: Case, parameters: number): Pick<StepWork, 'cpuElements' | 'cpuSubgroups'> {
  const { chips, model, sequenceLength, mode } = subject;
  const { offloadsOptimizer, zeroStage } = modes[mode];
  if (!offloadsOptimizer) return { cpuElements: 0, cpuSubgroups: [] };
  if (zeroStage !== 3) return { cpuElements: parameters / chips, cpuSubgroups: [] };
  if (usesOverlap(subject)) return { cpuElements: sharesOf(subject).cpuElements, cpuSubgroups: [] };
  const subGroupSize = settingOf(subject, 'sub_group_size', 1e9);
  const sizes = subgroupSizes(model, { sequenceLength, chips, subGroupSize });
  const { onCpu, cpuElements } = splitSubgroups(sizes, cpuRatio(subject));
  return { cpuElements, cpuSubgroups: onCpu };
}

/** The shares of a case that the overlap optimizer steps. */
export function sharesOf(subject: Case): OverlapShares {
  const { chips, model, sequenceLength } = subject;
  const { subgroupElements, speculation } = superoffloadSettings(subject);
  const cut = overlapSubgroups(model, { sequenceLength, chips, subgroupElements });
  return overlapShares(cut, { ratio: cpuRatio(subject), speculation });
}
