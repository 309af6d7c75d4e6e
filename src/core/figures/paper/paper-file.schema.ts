import Type from 'typebox';
import { dtypes, modeNames } from '../../experiment/case.ts';

const value = Type.Union([Type.Number({ minimum: 0 }), Type.Enum(['OOM']), Type.Null()], {
  description: 'OOM: drawn as out of memory; null: not drawn.',
});

const series = Type.Record(Type.String({ minLength: 1 }), Type.Array(value, { minItems: 1 }), {
  minProperties: 1,
  description: "By the system's name: a value for each place along the axis.",
});

const mark = Type.Enum(['E', 'R'], { description: 'E: printed in text or table; R: read off the figure.' });
const names = Type.Array(Type.String({ minLength: 1 }), { minItems: 1 });
const count = Type.Integer({ minimum: 1 });
const text = Type.String({ minLength: 1 });

const heading = {
  title: text,
  unit: text,
  mark,
  about: Type.Optional(text),
  readingError: Type.Optional(Type.String({ minLength: 1, description: 'Of a value that was read off.' })),
};

const throughputPanel = { chips: count, globalBatch: count, models: names, series };

const strict = { additionalProperties: false } as const;

/** experiment/paper/figures.json: what the paper published. */
export const paperFileSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    about: text,
    figure10: Type.Object({ ...heading, ...throughputPanel }, strict),
    figure11: Type.Object(
      { ...heading, panels: Type.Array(Type.Object(throughputPanel, strict), { minItems: 1 }) },
      strict,
    ),
    figure12: Type.Object(
      {
        ...heading,
        panels: Type.Array(
          Type.Object({ chips: count, model: text, sequenceLengths: names, series }, strict),
          { minItems: 1 },
        ),
      },
      strict,
    ),
    figure13: Type.Object({ ...heading, chips: Type.Array(count, { minItems: 1 }), series }, strict),
    table2: Type.Object(
      {
        ...heading,
        rows: Type.Array(Type.Object({ adds: text, value: Type.Number({ exclusiveMinimum: 0 }) }, strict), {
          minItems: 1,
          description: 'What is added from row to row, and the throughput then.',
        }),
      },
      strict,
    ),
    table3: Type.Unknown(),
    table4: Type.Unknown(),
    modes: Type.Record(text, Type.Enum([...modeNames]), {
      description: "The paper's systems that are a mode here; the others exist in the paper alone.",
    }),
    conditions: Type.Object(
      {
        dtype: Type.Enum([...dtypes]),
        link: Type.Enum(['c2c', 'pcie']),
        gpuName: text,
        gpuGB: Type.Number({ minimum: 1 }),
        hostGBPerChip: Type.Object(
          { oneChip: Type.Number({ minimum: 1 }), moreChips: Type.Number({ minimum: 1 }) },
          strict,
        ),
        chipsPerNode: count,
        sequenceLength: Type.Union([count, Type.Null()]),
        tiedHead: Type.Union([Type.Boolean(), Type.Null()]),
        sources: Type.Record(Type.String(), text),
      },
      { ...strict, description: 'What the published numbers were measured with; null: not stated.' },
    ),
    hardware: Type.Unknown(),
  },
  { $id: 'paper', title: 'Published values', additionalProperties: false },
);

export type PaperFile = Type.Static<typeof paperFileSchema>;
