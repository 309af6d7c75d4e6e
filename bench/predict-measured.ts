import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, CaseWorkload, Dtype, ModelShape, ModeName, System } from '../src/core/experiment/case.ts';
import { resolveSystem, type NamedSystemFile } from '../src/core/experiment/system.ts';
import type { SystemFile } from '../src/core/experiment/system-file.schema.ts';
import { isPredictable } from '../src/core/figures/ablation/predictable.ts';
import { modes } from '../src/core/deepspeed/modes/registry.ts';
import type { ModelFile } from '../src/core/model/model-file.schema.ts';
import { modelEntries } from '../src/core/model/model-table.ts';
import { passingWeights, type MemoryEstimate } from '../src/core/model/memory.ts';
import { predictCase } from '../src/core/model/predict.ts';
import { root } from './measure.ts';
import { stateBytesBefore } from './overlap-before.ts';

/** Predictions beside every run that was measured on H200 GPUs (bench/measured/h200.json). */

interface MeasuredRun {
  readonly source: string;
  readonly mode: ModeName;
  readonly model: string;
  readonly chips: number;
  readonly globalBatch: number;
  readonly stepSeconds: number;
  /** Of each launch, where there was more than one; `stepSeconds` is their median. */
  readonly launches?: readonly number[];
  readonly gpuGiB: number | null;
  readonly hostGiB: number | null;
  readonly hostIs?: 'machine';
  readonly separateHead?: boolean;
  readonly overlapBefore?: { readonly steps: number };
  readonly workload?: CaseWorkload;
  readonly dtype?: Dtype;
  readonly ratio?: number;
  /** Of a size that the table of models does not name. */
  readonly shape?: Omit<ModelShape, 'name'>;
  /** Where it is not a chip's whole share of the batch. */
  readonly microBatch?: number;
  readonly sequenceLength?: number;
  readonly sequenceParallel?: number;
  readonly activationCheckpointing?: boolean;
  readonly activationOffload?: boolean;
  readonly gradientClipping?: number;
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/** One run with what is predicted of it. GiB and seconds. */
export interface ComparedRun {
  readonly run: MeasuredRun;
  readonly gpuGiB: number;
  /** Of what `run.hostGiB` counts: the run's own, or the machine's. */
  readonly hostGiB: number;
  /**
   * The same where no spare block is ever written, which depends on how early gradients come, and where no sample met the weights
   * on their way at the start.
   */
  readonly leastHostGiB: number;
  /** null where the model of step time does not know one of its settings, as in `figure ablation`. */
  readonly stepSeconds: number | null;
}

/** How far what was measured of the host's memory lies outside what is predicted, GiB; null where it was not measured. */
export function hostOffGiB({ run, hostGiB, leastHostGiB }: ComparedRun): number | null {
  return run.hostGiB === null ? null : Math.max(0, run.hostGiB - hostGiB, leastHostGiB - run.hostGiB);
}

export function readData(path: string): unknown {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

export function shapes(): ModelShape[] {
  return modelEntries(readData('experiment/model.json') as ModelFile).map(({ shape }) => shape);
}

/** A system of the package, as if this machine were another one. */
export function namedSystem(name: string): System {
  const file: NamedSystemFile = {
    name,
    file: readData(`experiment/systems/${name}.json`) as SystemFile,
  };
  const nobody = { accelerator: 'cuda', gpuName: null, gpuCount: 1, gpuGiB: null, hostGiB: null } as const;
  return resolveSystem(file, { ...nobody, cores: 1, hostNumaNodes: null }, [file]);
}

/** The machine with more than one GPU has as much of everything for each; its GPUs' link was not measured. */
function h200(gpus: number): System {
  const one = namedSystem('h200');
  const { hostGBps, adamNsPerParameter } = one.rates;
  return {
    ...one,
    chipsPerNode: gpus,
    hostGiB: (one.hostGiB ?? Number.NaN) * gpus,
    cores: one.cores * gpus,
    rates: {
      ...one.rates,
      hostGBps: hostGBps === null ? null : hostGBps * gpus,
      adamNsPerParameter: adamNsPerParameter === null ? null : adamNsPerParameter / gpus,
    },
  };
}

export function compareRuns(): ComparedRun[] {
  const data = readData('bench/measured/h200.json') as {
    readonly machineBaseGiB: number;
    readonly runs: readonly MeasuredRun[];
  };
  const known = shapes();
  return data.runs.map((run) => {
    const model = modelOf(run, known);
    const system = h200(run.chips);
    const subject = caseOf(run, model);
    const { memory, time } = predictCase(subject, system);
    // A head of its own is a second embedding to the optimizer; logits are those of one head all the same.
    const twice = { ...model, paddedVocabulary: 2 * model.paddedVocabulary };
    const { hostGiB } = run.separateHead === true ? predictCase(caseOf(run, twice), system).memory : memory;
    const most =
      hostGiB + beforeGiB(run, model, memory.parts) + (run.hostIs === 'machine' ? data.machineBaseGiB : 0);
    const perhaps = memory.parts.filter(({ what }) => ['spare blocks', passingWeights].includes(what));
    const unseen = perhaps.reduce((sum, { gib }) => sum + gib, 0) * run.chips;
    return {
      run,
      gpuGiB: memory.gpuGiB,
      hostGiB: most,
      leastHostGiB: run.overlapBefore === undefined ? most - unseen : most,
      stepSeconds: time === null || !isPredictable(subject) ? null : time.stepMs / 1000,
    };
  });
}

function modelOf(run: MeasuredRun, known: readonly ModelShape[]): ModelShape {
  const model = known.find(({ name }) => name === run.model);
  if (model !== undefined) return model;
  if (run.shape === undefined) throw new Error(`bench/measured/h200.json: there is no size ${run.model}`);
  return { name: run.model, ...run.shape };
}

/** What a run of the earlier rule had of state in its blocks, less what is predicted by today's. */
function beforeGiB(run: MeasuredRun, model: ModelShape, parts: MemoryEstimate['parts']): number {
  if (run.overlapBefore === undefined) return 0;
  const blocks = ['fp32 weights and moments', 'room in their blocks', 'spare blocks'];
  const today = parts.filter(({ what }) => blocks.includes(what)).reduce((sum, { gib }) => sum + gib, 0);
  const { steps } = run.overlapBefore;
  return stateBytesBefore({ model, sequenceLength: 1024, ratio: run.ratio ?? 1, steps }) / 2 ** 30 - today;
}

function caseOf(run: MeasuredRun, model: ModelShape): Case {
  const { sequenceParallel = 1 } = run;
  const { microBatch = (run.globalBatch * sequenceParallel) / run.chips } = run;
  return {
    experiment: 'throughput',
    workload: run.workload ?? 'builtin',
    mode: run.mode,
    model,
    chips: run.chips,
    sequenceParallel,
    microBatch,
    globalBatch: run.globalBatch,
    gradientAccumulation: (run.globalBatch * sequenceParallel) / run.chips / microBatch,
    sequenceLength: run.sequenceLength ?? 1024,
    activationCheckpointing: run.activationCheckpointing ?? false,
    activationOffload: run.activationOffload ?? false,
    attention: 'sdpa',
    fp16LmCrossEntropy: false,
    dtype: run.dtype ?? 'bf16',
    ratio: run.ratio ?? modes[run.mode].defaultRatio,
    gradientClipping: run.gradientClipping ?? 0,
    dropout: 0,
    steps: 20,
    seed: 1234,
    dataPath: null,
    vocabFile: null,
    mergeFile: null,
    deepspeedOverrides: run.overrides ?? {},
  };
}
