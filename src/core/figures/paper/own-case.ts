import type { Case, ModelShape, ModeName, System } from '../../experiment/case.ts';
import type { ExperimentFile } from '../../experiment/experiment-file.schema.ts';
import { chooseBatch, sequenceParallelOf } from '../../experiment/grid-batch.ts';
import type { GridFlags } from '../../experiment/grid-flags.ts';
import { buildCase } from '../../experiment/grid-case.ts';

/** Which cell is meant. */
export interface CellWanted {
  readonly chips: number;
  readonly mode: ModeName;
  readonly model: ModelShape;
  /** null: the experiment's own. */
  readonly sequenceLength: number | null;
}

/**
 * The case that the experiment has for a cell.
 * @param run a case that was run: what all bars of a picture have in common is taken from it, and with `memory` what it
 * recomputes and offloads
 * @returns null where the chips cannot share the batch.
 */
export function ownCase(
  experiment: ExperimentFile,
  { accelerator }: Pick<System, 'accelerator'>,
  { chips, mode, model, sequenceLength }: CellWanted,
  run: { readonly like: Case | null; readonly memory: boolean } = { like: null, memory: false },
): Case | null {
  const section = experiment[accelerator];
  const { like, memory } = run;
  const common = like === null ? {} : inCommon(like);
  const flags: GridFlags = { chips, ...common, ...(like !== null && memory ? memoryOf(like) : {}) };
  const batch = chooseBatch(section, flags);
  if (!batch.ok) return null;
  return buildCase(
    {
      experiment: experiment.name,
      section,
      flags,
      batch: batch.batch,
      sequenceParallel: sequenceParallelOf(section, flags),
      overrides: {},
    },
    { mode, model, sequenceLength: sequenceLength ?? like?.sequenceLength ?? section.sequenceLength },
  );
}

function inCommon(like: Case): GridFlags {
  const { workload, dtype, attention, gradientClipping, dropout, fp16LmCrossEntropy } = like;
  return { workload, dtype, attention, gradientClipping, dropout, fp16LmCrossEntropy };
}

/** Throughput recomputes by the rule for the batch, the other experiments as they have it. */
function memoryOf({ experiment, activationCheckpointing, activationOffload }: Case): GridFlags {
  return experiment === 'throughput' ? {} : { activationCheckpointing, activationOffload };
}
