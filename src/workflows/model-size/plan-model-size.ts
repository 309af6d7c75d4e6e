import type { ExperimentFile } from '../../core/experiment/experiment-file.schema.ts';
import { entryFor } from '../../core/experiment/grid-batch.ts';
import type { GridFlags } from '../../core/experiment/grid-flags.ts';
import { shapesNamed } from '../../core/experiment/model-names.ts';
import { parameterCount } from '../../core/model/shape.ts';
import { shapesBelow, shapesBetween } from '../../core/search/between.ts';
import type { Context } from '../context.ts';
import type { FrontierPlan } from '../frontier/frontier.ts';
import { planFrontier, type FrontierRequest, type FrontierVerb } from '../frontier/frontier-request.ts';
import type { Setting } from '../plan/request.ts';

/** Plans the search for the largest size of each mode, or the launch of each size that was given. */
export async function planModelSize(context: Context, request: FrontierRequest): Promise<FrontierPlan> {
  return planFrontier(context, request, modelSize);
}

const modelSize: FrontierVerb = {
  experiment: 'model_size',
  isGiven: ({ models }) => models !== undefined,
  gridFlags: (experiment, setting, flags) => [{ ...flags, models: sizesOf(experiment, setting, flags) }],
  keyOf: ({ mode }) => mode,
  orderOf: ({ model, sequenceLength }) => parameterCount(model, sequenceLength),
  between: (step) => (ran, failed) => {
    const { sequenceLength } = failed;
    const shapes =
      ran === null
        ? shapesBelow(failed.model, step)
        : shapesBetween(ran.model, failed.model, { step, sequenceLength });
    return shapes.map((model) => ({ ...failed, model }));
  },
  nameOf: ({ model }) => model.name,
};

/** Sizes that were given, else those of the experiment; two names of one shape are one candidate. */
function sizesOf(
  experiment: ExperimentFile,
  { machine, models }: Setting,
  flags: GridFlags,
): readonly string[] {
  if (flags.models !== undefined) return flags.models;
  const names = entryFor(experiment[machine.system.accelerator], flags.chips ?? 1).models;
  const { shapes, faults } = shapesNamed(names, models);
  if (faults.length > 0) return names;
  const distinct = new Map(
    shapes.map(({ name, ...shape }) => [JSON.stringify(Object.values(shape)), name]).reverse() as [
      string,
      string,
    ][],
  );
  return [...distinct.values()];
}
