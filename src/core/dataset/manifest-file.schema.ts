import Type from 'typebox';

/** training_datasets/manifest.json: the published data files and how each is recognized. */
const dataFileSchema = Type.Object(
  {
    file: Type.String({
      pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$',
      description: 'Its name, without a folder.',
    }),
    bytes: Type.Integer({ minimum: 1, description: 'Its size.' }),
    sha256: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'Of its content: for Git LFS the oid.' }),
    lfs: Type.Boolean({ description: 'The repository holds a Git LFS pointer in its place.' }),
  },
  { additionalProperties: false },
);

export const manifestFileSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    schemaVersion: Type.Enum([1]),
    name: Type.String({
      pattern: '^[a-z0-9][a-z0-9_-]*$',
      description: 'Its folder below the datasets of the state folder.',
    }),
    title: Type.String({ minLength: 1 }),
    prefix: Type.String({ minLength: 1, description: 'Name of its .bin and .idx without the ending.' }),
    vocabulary: Type.Integer({ minimum: 2, description: 'Tokens of its vocabulary, unpadded.' }),
    folder: Type.String({
      minLength: 1,
      description: "Their folder in the artifact's repository (experiment/stacks/upstreams.json).",
    }),
    files: Type.Array(dataFileSchema, { minItems: 1 }),
  },
  { $id: 'dataset', title: 'Published data set', additionalProperties: false },
);

export type DatasetManifest = Type.Static<typeof manifestFileSchema>;
