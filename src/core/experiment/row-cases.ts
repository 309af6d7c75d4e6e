import { buildCase } from './grid-case.ts';
import type { Case } from './case.ts';
import type { ExperimentFile, ExperimentRow } from './experiment-file.schema.ts';
import { chooseBatch, entryFor, sequenceParallelOf } from './grid-batch.ts';
import { gridRow } from './grid-rows.ts';
import { shapesNamed, type ModelTable } from './model-names.ts';

/** What one row is for one size. */
export interface RowCase {
  readonly row: ExperimentRow;
  readonly subject: Case;
}

/**
 * Every row of an experiment for every size that it is for, as the experiment has it, whether a machine can hold it or
 * not. Sizes outermost.
 */
export function rowCases(
  experiment: ExperimentFile,
  accelerator: 'cuda' | 'cpu',
  models: ModelTable,
): RowCase[] {
  const section = experiment[accelerator];
  const entry = entryFor(section, 1);
  return shapesNamed(entry.models, models).shapes.flatMap((model) =>
    (section.rows ?? []).flatMap((row): RowCase[] => {
      const { mode, flags, overrides, has } = gridRow(row, {}, {});
      const batch = chooseBatch(section, flags);
      if (!has(model.name) || !batch.ok) return [];
      const sequenceParallel = sequenceParallelOf(section, flags);
      const settings = {
        experiment: experiment.name,
        section,
        flags,
        batch: batch.batch,
        sequenceParallel,
        overrides,
      };
      const sequenceLength = flags.sequenceLength ?? section.sequenceLength;
      return [{ row, subject: buildCase(settings, { mode, model, sequenceLength }) }];
    }),
  );
}
