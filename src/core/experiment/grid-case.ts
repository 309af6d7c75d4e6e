import { modes } from '../deepspeed/modes/registry.ts';
import type { Case, ModeName, ModelShape } from './case.ts';
import type { GridSection } from './experiment-file.schema.ts';
import type { GridFlags } from './grid-flags.ts';

/** What all cases of one grid share. */
export interface CaseSettings {
  readonly experiment: string;
  readonly section: GridSection;
  readonly flags: GridFlags;
  readonly batch: Pick<Case, 'microBatch' | 'globalBatch' | 'gradientAccumulation'>;
  readonly sequenceParallel: number;
  readonly overrides: Readonly<Record<string, unknown>>;
}

/** One cell: what a flag says, else the experiment, else what every workload can do. */
export function buildCase(
  { experiment, section, flags, batch, sequenceParallel, overrides }: CaseSettings,
  cell: { readonly mode: ModeName; readonly model: ModelShape; readonly sequenceLength: number },
): Case {
  const { gradient_clipping: clipping, ...others } = overrides;
  const { defaultRatio } = modes[cell.mode];
  return {
    experiment,
    workload: flags.workload ?? 'builtin',
    mode: cell.mode,
    model: cell.model,
    chips: flags.chips ?? 1,
    sequenceParallel,
    ...batch,
    sequenceLength: cell.sequenceLength,
    activationCheckpointing: flags.activationCheckpointing ?? section.activationCheckpointing,
    activationOffload: activationOffload(section, flags),
    attention: flags.attention ?? 'sdpa',
    fp16LmCrossEntropy: flags.fp16LmCrossEntropy ?? false,
    ...(flags.lossChunk === undefined ? {} : { lossChunk: flags.lossChunk }),
    dtype: flags.dtype ?? section.dtype,
    ratio: defaultRatio === null ? null : (flags.ratio ?? defaultRatio),
    gradientClipping:
      typeof clipping === 'number' ? clipping : (flags.gradientClipping ?? section.gradientClipping),
    dropout: flags.dropout ?? section.dropout,
    steps: flags.steps ?? section.steps,
    seed: flags.seed ?? section.seed,
    dataPath: flags.dataPath ?? null,
    vocabFile: flags.vocabFile ?? null,
    mergeFile: flags.mergeFile ?? null,
    // A clip that is no number stays where the check against DeepSpeed's keys will name it.
    deepspeedOverrides: typeof clipping === 'number' || clipping === undefined ? others : overrides,
  };
}

/** It moves what recomputation starts from: an experiment's own setting yields where nothing is recomputed. */
function activationOffload(section: GridSection, flags: GridFlags): boolean {
  if (flags.activationOffload !== undefined) return flags.activationOffload;
  const recomputes = flags.activationCheckpointing ?? section.activationCheckpointing;
  return recomputes && (section.activationOffload ?? false);
}
