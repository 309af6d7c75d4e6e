import { dataFolders, readModels } from '../adapters/experiment-data.ts';
import type { ModelShape } from '../core/experiment/case.ts';
import { parameterCount } from '../core/model/shape.ts';
import type { Context } from './context.ts';

/** A size as `superoffload models` lists it. */
export interface ListedModel extends ModelShape {
  /** Counted from the shape at {@link sequenceLength}, tied head and learned positions included. */
  readonly parameters: number;
  /** Positions counted in `parameters`. */
  readonly sequenceLength: number;
  readonly source: string;
}

/** Lists every size with its counted parameters, smallest first. */
export function listModels(
  context: Pick<Context, 'cwd' | 'packageRoot'>,
  sequenceLength: number,
): ListedModel[] {
  return readModels(dataFolders(context))
    .map(({ shape, source }) => ({
      ...shape,
      parameters: parameterCount(shape, sequenceLength),
      sequenceLength,
      source,
    }))
    .sort((a, b) => a.parameters - b.parameters);
}
