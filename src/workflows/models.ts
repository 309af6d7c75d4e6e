import { dataFolders, readModels } from '../adapters/experiment-data.ts';
import { modes } from '../core/deepspeed/modes/registry.ts';
import { modeNames, type ModelShape, type ModeName } from '../core/experiment/case.ts';
import { estimateMemory } from '../core/model/memory.ts';
import { parameterCount } from '../core/model/shape.ts';
import type { Context } from './context.ts';

/** The batch that the memory of a size is estimated for. */
export interface ModelsRequest {
  /** Positions, counted in the parameters too. */
  readonly sequenceLength: number;
  /** Chips of one node. */
  readonly chips: number;
  /** Sequences a rank and forward pass. */
  readonly microBatch: number;
}

/** First-order need in one mode. */
interface ModelNeed {
  /** GiB a chip. */
  readonly gpuGiB: number;
  /** GiB, all ranks of the node together. */
  readonly hostGiB: number;
}

/** A size as `superoffload models` lists it. */
export interface ListedModel extends ModelShape {
  /** Counted from the shape: tied head and learned positions included. */
  readonly parameters: number;
  readonly source: string;
  /** From ./experiment/model.json and not the package's own. */
  readonly isUsers: boolean;
  /** By mode, in bf16 on GPUs, without recomputation, at the mode's default ratio. */
  readonly needs: Readonly<Record<ModeName, ModelNeed>>;
}

/** Lists every size with its counted parameters and what each mode needs for it, smallest first. */
export function listModels(
  context: Pick<Context, 'cwd' | 'packageRoot'>,
  request: ModelsRequest,
): ListedModel[] {
  return readModels(dataFolders(context))
    .map(({ shape, source, isUsers }) => ({
      ...shape,
      parameters: parameterCount(shape, request.sequenceLength),
      source,
      isUsers,
      needs: Object.fromEntries(
        modeNames.map((mode) => [mode, need(shape, mode, request)]),
      ) as ListedModel['needs'],
    }))
    .sort((a, b) => a.parameters - b.parameters);
}

function need(
  model: ModelShape,
  mode: ModeName,
  { sequenceLength, chips, microBatch }: ModelsRequest,
): ModelNeed {
  const { gpuGiB, hostGiB } = estimateMemory(
    {
      experiment: 'models',
      workload: 'builtin',
      mode,
      model,
      chips,
      sequenceParallel: 1,
      microBatch,
      globalBatch: microBatch * chips,
      gradientAccumulation: 1,
      sequenceLength,
      activationCheckpointing: false,
      activationOffload: false,
      attention: 'sdpa',
      fp16LmCrossEntropy: false,
      dtype: 'bf16',
      ratio: modes[mode].defaultRatio,
      gradientClipping: 0,
      dropout: 0,
      steps: 1,
      seed: 0,
      dataPath: null,
      vocabFile: null,
      mergeFile: null,
      deepspeedOverrides: {},
    },
    { accelerator: 'cuda', chipsPerNode: chips },
  );
  return { gpuGiB, hostGiB };
}
