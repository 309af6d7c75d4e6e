import Type from 'typebox';
import { metricNames } from './metric.ts';

const share = Type.Number({ exclusiveMinimum: 0 });
const orNull = (type: Parameters<typeof Type.Union>[0][number]) => Type.Union([type, Type.Null()]);

const caseFields = {
  system: Type.String({
    minLength: 1,
    description: 'Name of the system; `local GPU-NAME` for this machine.',
  }),
  workload: Type.String({ minLength: 1 }),
  mode: Type.String({ minLength: 1 }),
  model: orNull(Type.String({ minLength: 1 })),
  chips: Type.Integer({ minimum: 1 }),
  globalBatch: orNull(Type.Integer({ minimum: 1 })),
  microBatch: orNull(Type.Integer({ minimum: 1 })),
  sequenceLength: orNull(Type.Integer({ minimum: 1 })),
  dtype: orNull(Type.String({ minLength: 1 })),
  activationCheckpointing: orNull(Type.Boolean()),
  settings: orNull(
    Type.String({ pattern: '^[0-9a-f]{8}$', description: 'Hash over every other setting of the case.' }),
  ),
};

const closed = { additionalProperties: false };
const deviation = orNull(
  Type.Object(
    { deviation: Type.Number({ minimum: 0 }), degrees: Type.Integer({ minimum: 1 }) },
    { ...closed, description: 'Standard deviation of natural logarithms, and its degrees of freedom.' },
  ),
);

const reference = Type.Object(
  {
    case: Type.Object(caseFields, closed),
    metric: Type.Enum([...metricNames]),
    value: share,
    lower: orNull(
      Type.Number({ maximum: 0, exclusiveMinimum: -1, description: 'Share below value, as -0.05.' }),
    ),
    upper: orNull(Type.Number({ minimum: 0, description: 'Share above value.' })),
    unit: Type.String({ minLength: 1 }),
    noise: Type.Optional(
      Type.Object(
        {
          launches: Type.Integer({ minimum: 1 }),
          sessions: Type.Integer({ minimum: 1 }),
          betweenLaunches: deviation,
          betweenSessions: deviation,
          withinRun: orNull(Type.Number({ minimum: 0 })),
        },
        closed,
      ),
    ),
    provenance: Type.Optional(
      Type.Object(
        {
          runs: Type.Array(Type.String({ minLength: 1 })),
          firstUtc: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT' }),
          lastUtc: Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT' }),
          machine: Type.String(),
          stack: orNull(
            Type.Object(
              { name: Type.String(), hash: Type.String(), torch: Type.String(), deepspeed: Type.String() },
              closed,
            ),
          ),
          tool: orNull(
            Type.Object(
              { version: Type.String(), commit: orNull(Type.String()), dirty: orNull(Type.Boolean()) },
              closed,
            ),
          ),
        },
        closed,
      ),
    ),
  },
  closed,
);

/** What `gate update` writes and `gate --baseline` reads; committed beside the code that it guards. */
export const baselineFileSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    schemaVersion: Type.Literal(1),
    updatedUtc: orNull(Type.String()),
    references: Type.Array(reference),
    expectedFailures: Type.Optional(
      Type.Array(
        Type.Object(
          {
            case: Type.Partial(Type.Object(caseFields), { ...closed, minProperties: 1 }),
            metric: Type.Optional(Type.Enum([...metricNames])),
            reason: Type.String({ minLength: 1 }),
            until: Type.String({
              pattern: '^\\d{4}-\\d\\d-\\d\\d$',
              description: 'Last day that it is excused.',
            }),
          },
          closed,
        ),
      ),
    ),
  },
  closed,
);
