import Type from 'typebox';

/** experiment/stacks/upstreams.json: where each upstream comes from, and at which commit. */
const pinSchema = Type.Object(
  {
    url: Type.String({ minLength: 1, description: 'Remote repository.' }),
    ref: Type.String({ minLength: 1, description: 'Branch or tag that the commit is of.' }),
    commit: Type.Union([Type.String({ pattern: '^[0-9a-f]{40}$' }), Type.Null()], {
      description: 'Commit that is installed; null: the head of `ref` on the day of the install.',
    }),
    commitReason: Type.Optional(Type.String({ minLength: 1, description: 'Why there is no commit.' })),
    source: Type.String({ minLength: 1, description: 'Where the url, the ref and the commit come from.' }),
  },
  { additionalProperties: false },
);

export const upstreamsFileSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    schemaVersion: Type.Enum([1]),
    upstreams: Type.Object(
      { deepspeed: pinSchema, megatron: pinSchema, apex: pinSchema, artifact: pinSchema },
      { additionalProperties: false },
    ),
  },
  { $id: 'upstreams', title: 'Upstream repositories', additionalProperties: false },
);

export type UpstreamsFile = Type.Static<typeof upstreamsFileSchema>;
