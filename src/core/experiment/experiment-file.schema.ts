import Type from 'typebox';
import { dtypes, modeNames } from './case.ts';

const rankSection = Type.Object(
  {
    globalBatch: Type.Integer({
      minimum: 1,
      description: 'Sequences an optimizer step, all ranks together.',
    }),
    models: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 1,
      description: 'Names in model.json, or LAYERSxHIDDEN; the candidates of a search.',
    }),
    modes: Type.Optional(
      Type.Array(Type.Enum([...modeNames]), {
        minItems: 1,
        description: "What the figure shows for this number of chips, where it is not the section's.",
      }),
    ),
    sequenceLengths: Type.Optional(
      Type.Record(Type.String({ minLength: 1 }), Type.Array(Type.Integer({ minimum: 1 }), { minItems: 1 }), {
        description: 'By size, tokens a sequence: a case each, in place of sequenceLength.',
      }),
    ),
  },
  { additionalProperties: false },
);

const count = Type.Integer({ minimum: 1 });

const row = Type.Object(
  {
    title: Type.String({ minLength: 1, maxLength: 60, description: 'As a picture or a table names it.' }),
    group: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 60,
        description: 'What it is drawn with; different from row to row.',
      }),
    ),
    published: Type.Optional(
      Type.String({ minLength: 1, description: "The row of the paper's Table 2 that it stands for." }),
    ),
    mode: Type.Enum([...modeNames]),
    models: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), { minItems: 1, description: 'Of these sizes alone.' }),
    ),
    microBatch: Type.Optional(count),
    globalBatch: Type.Optional(count),
    sequenceLength: Type.Optional(count),
    activationCheckpointing: Type.Optional(Type.Boolean()),
    ratio: Type.Optional(Type.Number({ minimum: 0, maximum: 1 })),
    gradientClipping: Type.Optional(Type.Number({ minimum: 0 })),
    steps: Type.Optional(count),
    deepspeed: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[A-Za-z0-9_]+([.][A-Za-z0-9_]+)*$' }),
        Type.Union([Type.Number(), Type.Boolean(), Type.String()]),
        { description: 'Dotted keys of the DeepSpeed JSON, as --ds takes them.' },
      ),
    ),
  },
  { additionalProperties: false },
);

const gridSection = Type.Object(
  {
    rows: Type.Optional(
      Type.Array(row, {
        minItems: 1,
        description: 'What every size is run as, in place of `modes`: settings besides the mode.',
      }),
    ),
    modes: Type.Array(Type.Enum([...modeNames]), { minItems: 1 }),
    byChips: Type.Record(Type.String({ pattern: '^[1-9][0-9]*$' }), rankSection, {
      additionalProperties: false,
      minProperties: 1,
      description: 'By number of chips; other numbers take the entry below, with the same batch a chip.',
    }),
    sequenceLength: Type.Integer({ minimum: 1, description: 'Tokens a sequence.' }),
    sequenceParallel: Type.Optional(
      Type.Enum(['chips'], { description: 'All chips share each sequence; absent: none do.' }),
    ),
    batchRule: Type.Optional(
      Type.Enum(['paper'], {
        description:
          'Where the global batch runs out of GPU memory at once, the largest micro-batch that fits with and without recomputation is tried, and the faster one counts.',
      }),
    ),
    activationOffload: Type.Optional(
      Type.Boolean({ description: 'What recomputation starts from is kept in host memory.' }),
    ),
    dtype: Type.Enum([...dtypes]),
    activationCheckpointing: Type.Boolean(),
    gradientClipping: Type.Number({ minimum: 0, description: 'Gradient-norm clip of every mode; 0 is off.' }),
    dropout: Type.Number({ minimum: 0, exclusiveMaximum: 1 }),
    steps: Type.Integer({ minimum: 1, description: 'Optimizer steps a run; a stable one may stop earlier.' }),
    seed: Type.Integer({ minimum: 0 }),
  },
  { additionalProperties: false },
);

/** An experiment file, such as experiment/throughput.json: what runs where no flag says otherwise. */
export const experimentFileSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    name: Type.String({ pattern: '^[a-z][a-z0-9_-]*$' }),
    title: Type.String({ minLength: 1 }),
    cuda: gridSection,
    cpu: gridSection,
    sources: Type.Record(Type.String(), Type.String({ minLength: 1 })),
  },
  { $id: 'experiment', title: 'Experiment', additionalProperties: false },
);

export type ExperimentFile = Type.Static<typeof experimentFileSchema>;
export type GridSection = Type.Static<typeof gridSection>;
export type ExperimentRow = Type.Static<typeof row>;
