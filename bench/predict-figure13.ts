import type { Case, ModelShape, ModeName, System } from '../src/core/experiment/case.ts';
import { modes } from '../src/core/deepspeed/modes/registry.ts';
import { predictFit, type FitPrediction, type PredictOptions } from '../src/core/model/predict.ts';
import { parameterCount } from '../src/core/model/shape.ts';
import { edgeOfPredictions } from '../src/core/search/predicted-edge.ts';
import { namedSystem, readData, shapes } from './predict-measured.ts';

/** Predictions beside the published Figure 13, the largest trainable model. */

/** The bars that are ours to predict. ZeRO-Infinity's is the larger of its two variants: the paper does not say. */
const seriesModes: Readonly<Record<string, readonly ModeName[]>> = {
  'PyTorch DDP': ['ddp'],
  'ZeRO-2': ['zero_2'],
  'ZeRO-3': ['zero_3'],
  zero_offload: ['zero_offload'],
  zero_infinity: ['zero_infinity', 'zero_infinity_param'],
  prism: ['prism'],
};

/** One bar with what is predicted of it. */
export interface ComparedBar {
  readonly series: string;
  readonly chips: number;
  /** Billions of parameters, as published. */
  readonly published: number;
  readonly predicted: string;
  /** Candidates between the two, the predicted one included; 0 where they are the same. */
  readonly sizesOff: number;
  /** What stops the next size. */
  readonly wall: 'gpu' | 'host' | null;
}

const gibPerGB = 1e9 / 2 ** 30;

/** The paper's machines with the memory that it prints: 96 GB and 480 GB for one chip, 240 GB for each of several. */
export function paperMachine(chips: number): System {
  const named = namedSystem(chips === 1 ? 'gh200' : 'gh200-nvl2');
  const hostGiBPerChip = (chips === 1 ? 480 : 240) * gibPerGB;
  const hostGiB = hostGiBPerChip * named.chipsPerNode;
  return { ...named, gpuGiB: 96 * gibPerGB, hostGiB, hostGiBPerChip };
}

const sequenceLength = 2048;

/** Every shape once, in the order of parameters. */
export function candidates(): ModelShape[] {
  const real = shapes().filter(({ name }) => !name.startsWith('tiny'));
  const distinct = new Map(real.map((shape) => [`${shape.layers}x${shape.hidden}`, shape]));
  return [...distinct.values()].sort(
    (a, b) => parameterCount(a, sequenceLength) - parameterCount(b, sequenceLength),
  );
}

/** All 18 bars, with the options of a prediction and the machine for a number of chips. */
export function compareBars(
  options: PredictOptions,
  machine: (chips: number) => System = paperMachine,
): ComparedBar[] {
  const { figure13 } = readData('experiment/paper/figures.json') as {
    readonly figure13: {
      readonly chips: readonly number[];
      readonly series: Readonly<Record<string, readonly number[]>>;
    };
  };
  const models = candidates();
  return Object.entries(seriesModes).flatMap(([series, names]) =>
    figure13.chips.map((chips, index) => {
      const published = figure13.series[series]?.[index] ?? Number.NaN;
      const system = machine(chips);
      const edges = names.map((mode) => edgeOf(models, { mode, chips, system, options }));
      const { edge, wall } = edges.reduce((best, next) => (next.edge > best.edge ? next : best));
      const predicted = models[edge]?.name ?? 'none';
      return { series, chips, published, predicted, sizesOff: sizesOff(models, edge, published), wall };
    }),
  );
}

interface EdgeRequest {
  readonly mode: ModeName;
  readonly chips: number;
  readonly system: System;
  readonly options: PredictOptions;
}

function edgeOf(models: readonly ModelShape[], { mode, chips, system, options }: EdgeRequest) {
  const cases = models.map((model) => caseOf(mode, model, chips));
  const fits = cases.map((subject) => predictFit(subject, system, options));
  const { predicted: edge } = edgeOfPredictions(fits);
  const next = fits[edge + 1];
  return { edge, wall: next === undefined ? null : exceeded(next) };
}

function exceeded({ fits, wall }: FitPrediction): 'gpu' | 'host' | null {
  return fits ? null : wall;
}

/** As the artifact's scripts for the model size: one sequence of 2048 a chip, recomputation, fp16, no flash attention. */
function caseOf(mode: ModeName, model: ModelShape, chips: number): Case {
  return {
    experiment: 'model_size',
    workload: 'builtin',
    mode,
    model,
    chips,
    sequenceParallel: 1,
    microBatch: 1,
    globalBatch: chips,
    gradientAccumulation: 1,
    sequenceLength,
    activationCheckpointing: true,
    activationOffload: false,
    attention: 'unfused',
    fp16LmCrossEntropy: false,
    dtype: 'fp16',
    ratio: modes[mode].defaultRatio,
    gradientClipping: 0,
    dropout: 0,
    steps: 100,
    seed: 1234,
    dataPath: null,
    vocabFile: null,
    mergeFile: null,
    deepspeedOverrides: {},
  };
}

/**
 * How far the prediction is from the bar, in candidates. A bar may have the name of two shapes (15B of the paper and of
 * the artifact): the nearer counts. A bar between two candidates (44B) is one off from either.
 */
function sizesOff(models: readonly ModelShape[], edge: number, published: number): number {
  const billions = models.map(({ name }) => Number(/^[\d.]+/.exec(name)?.[0]));
  const named = billions.flatMap((size, index) => (size === published ? [index] : []));
  if (named.length > 0) return Math.min(...named.map((index) => Math.abs(edge - index)));
  const below = billions.filter((size) => size < published).length - 1;
  return edge <= below ? below - edge + 1 : edge - below;
}
