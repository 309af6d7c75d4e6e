import Type from 'typebox';

/** experiment/model.json: model sizes by name. Parameters are computed, never believed from the name. */
const modelEntrySchema = Type.Object(
  {
    layers: Type.Integer({ minimum: 1, description: 'Transformer layers.' }),
    hidden: Type.Integer({ minimum: 1, description: 'Width of the residual stream.' }),
    heads: Type.Optional(
      Type.Integer({
        minimum: 1,
        description: 'Attention heads; must divide hidden. Default 32, as in the paper.',
      }),
    ),
    vocabulary: Type.Optional(
      Type.Integer({
        minimum: 2,
        description: 'Tokens before padding to a multiple of 256. Default 50257 (GPT-2), padded to 50432.',
      }),
    ),
    source: Type.String({ minLength: 1, description: 'Where the shape comes from.' }),
  },
  { additionalProperties: false },
);

export const modelFileSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    models: Type.Record(Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$' }), modelEntrySchema, {
      additionalProperties: false,
    }),
  },
  { $id: 'model', title: 'Model sizes', additionalProperties: false },
);

export type ModelFile = Type.Static<typeof modelFileSchema>;
