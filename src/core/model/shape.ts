import type { Case, ModelShape } from '../experiment/case.ts';

/**
 * Parameters and floating-point work of a GPT, by the formulas that Megatron-DeepSpeed prints by.
 * Units: parameters are counts, work is multiply-accumulates (MAC) or FLOPs (2 a MAC).
 */

/**
 * Parameters of a GPT with a tied output head, learned positions, biases and a final layer norm.
 * A layer has 12 h^2 weights (QKV 3, projection 1, feed-forward 8), 9 h biases and 4 h of layer norms.
 * Equals Megatron-DeepSpeed's own count and the built-in trainer's (2B with 50432 rows: 2.120e9).
 */
export function parameterCount(shape: ModelShape, sequenceLength: number): number {
  return shape.layers * layerParameterCount(shape.hidden) + embeddingCount(shape, sequenceLength);
}

/** Parameters of one transformer layer of width `hidden`. */
export function layerParameterCount(hidden: number): number {
  return 12 * hidden ** 2 + 13 * hidden;
}

function embeddingCount({ hidden, paddedVocabulary }: ModelShape, sequenceLength: number): number {
  const finalLayerNorm = 2 * hidden;
  return (paddedVocabulary + sequenceLength) * hidden + finalLayerNorm;
}

/** What the artifact pads every vocabulary to a multiple of. */
export const vocabularyDivisibleBy = 256;

/** Rows of the embedding: `vocabulary` rounded up to a multiple of `divisibleBy`, as Megatron pads it. */
export function padVocabulary(vocabulary: number, divisibleBy: number): number {
  return Math.ceil(vocabulary / divisibleBy) * divisibleBy;
}

/**
 * Multiply-accumulates of one forward pass over `sequences` sequences, with attention over the full s^2
 * (no causal halving) and a feed-forward width of 4 h.
 * Source: Megatron-DeepSpeed, megatron/utils.py, throughput_calculator; Narayanan et al. 2021, appendix.
 */
function forwardMacs(shape: ModelShape, sequences: number, sequenceLength: number): number {
  const { layers, hidden, paddedVocabulary } = shape;
  const projections = 4 * hidden ** 2 * sequenceLength;
  const attention = 2 * hidden * sequenceLength ** 2;
  const feedForward = 2 * (4 * hidden) * hidden * sequenceLength;
  const logits = paddedVocabulary * hidden * sequenceLength;
  return sequences * (layers * (projections + attention + feedForward) + logits);
}

/** FLOPs of one optimizer step: forward, twice that for backward, and once more where all is recomputed. */
export function trainingFlops(work: {
  readonly shape: ModelShape;
  readonly globalBatch: number;
  readonly sequenceLength: number;
  readonly recompute: boolean;
}): number {
  const passes = work.recompute ? 4 : 3;
  return 2 * passes * forwardMacs(work.shape, work.globalBatch, work.sequenceLength);
}

/** Of {@link trainingFlops}, those of scores and their product with the values, one forward pass. */
export function forwardAttentionFlops(work: {
  readonly shape: ModelShape;
  readonly globalBatch: number;
  readonly sequenceLength: number;
}): number {
  const { layers, hidden } = work.shape;
  return 2 * work.globalBatch * layers * 2 * hidden * work.sequenceLength ** 2;
}

/** Throughput of one step; `formula` names the arithmetic, so that a record never mixes two of them. */
export interface Tflops {
  /** Without the recomputed forward pass: the paper's figures 10 and 11. */
  readonly modelTflops: number;
  /** With it: what Megatron-DeepSpeed prints. Equal to modelTflops without recomputation. */
  readonly hardwareTflops: number;
  readonly formula: 'megatron-full-attention';
}

/** TFLOPS a chip of one optimizer step that took `stepMs` milliseconds (see {@link forwardMacs}). */
export function tflopsPerGpu(step: {
  readonly shape: ModelShape;
  readonly globalBatch: number;
  readonly sequenceLength: number;
  readonly stepMs: number;
  readonly chips: number;
  readonly recompute: boolean;
}): Tflops {
  const perChip = (recompute: boolean): number =>
    trainingFlops({ ...step, recompute }) / (step.stepMs / 1000) / step.chips / 1e12;
  return {
    modelTflops: perChip(false),
    hardwareTflops: perChip(step.recompute),
    formula: 'megatron-full-attention',
  };
}

/** TFLOPS a chip of one optimizer step of a case that took `stepMs` milliseconds. */
export function caseTflops(subject: Case, stepMs: number): Tflops {
  return tflopsPerGpu({
    shape: subject.model,
    globalBatch: subject.globalBatch,
    sequenceLength: subject.sequenceLength,
    stepMs,
    chips: subject.chips,
    recompute: subject.activationCheckpointing,
  });
}

/**
 * Model FLOPs utilization, 0 to 1: model TFLOPS over the chip's dense 16-bit peak.
 * A causal kernel executes about half of the s^2 term, so long sequences read high.
 * @returns null where the peak is unknown.
 */
export function mfu(modelTflops: number, peakTflops: number | null): number | null {
  return peakTflops === null ? null : modelTflops / peakTflops;
}
