import Type from 'typebox';

const sha256 = Type.String({ pattern: '^[0-9a-f]{64}$' });
const blob = Type.String({ pattern: '^[0-9a-f]{40}$' });
const sentence = Type.String({ minLength: 1 });

const versionRange = Type.String({
  pattern: '^(>=|<)[0-9]+(\\.[0-9]+)*(,(>=|<)[0-9]+(\\.[0-9]+)*)*$',
  description: 'Like >=2.6 or >=0.18,<0.20: all parts must hold.',
});

const when = Type.Object(
  {
    torch: Type.Optional(versionRange),
    deepspeed: Type.Optional(versionRange),
    apex: Type.Optional(Type.Enum(['overlay', 'build'])),
  },
  { additionalProperties: false, description: 'Left out, or a key left out: always.' },
);

const elsewhere = Type.Object(
  {
    versions: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
    lines: Type.Array(Type.Integer({ minimum: 0 }), {
      minItems: 1,
      description: 'Where each hunk of the patch begins in that file, in order; before the patch.',
    }),
    before: blob,
    after: blob,
  },
  {
    additionalProperties: false,
    description: 'Versions in which the same lines of the patch belong at other places of the file.',
  },
);

const patchedFile = Type.Object(
  {
    path: Type.String({ minLength: 1, description: 'In the tree, with forward slashes.' }),
    before: Type.Union([blob, Type.Null()], {
      description: 'Git blob id before this patch; null: the patch makes the file.',
    }),
    after: blob,
    elsewhere: Type.Optional(
      Type.Array(elsewhere, {
        minItems: 1,
        description: 'In every other version, the file is as before and after say.',
      }),
    ),
  },
  { additionalProperties: false },
);

const patch = Type.Object(
  {
    file: Type.String({ pattern: '^[0-9]{4}-[A-Za-z0-9._-]+\\.patch$' }),
    title: sentence,
    reason: sentence,
    thread: Type.Union([Type.String({ pattern: '^https://' }), Type.Null()], {
      description: 'Where the upstream discusses it; null: nowhere yet.',
    }),
    when: Type.Optional(when),
    files: Type.Array(patchedFile, { minItems: 1 }),
    sha256,
  },
  { additionalProperties: false },
);

const overlayFile = Type.Object(
  {
    path: Type.String({ minLength: 1, description: 'In the tree; its source is overlay/<path>.' }),
    reason: sentence,
    when: Type.Optional(when),
    sha256,
  },
  { additionalProperties: false },
);

/** patches/<upstream>/series.json. */
export const seriesFileSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    schemaVersion: Type.Enum([1]),
    upstream: Type.Enum(['deepspeed', 'megatron', 'apex']),
    title: sentence,
    commits: Type.Optional(
      Type.Array(Type.String({ pattern: '^[0-9a-f]{40}$' }), {
        minItems: 1,
        description: 'Commits that the series is made for; a repository.',
      }),
    ),
    versions: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description: 'Versions that the series is made for; a package of the index.',
      }),
    ),
    patches: Type.Array(patch, { description: 'In the order in which they apply.' }),
    overlay: Type.Array(overlayFile, { description: 'Files that are wholly ours.' }),
  },
  { $id: 'series', title: 'Patch series', additionalProperties: false },
);

export type SeriesFile = Type.Static<typeof seriesFileSchema>;
