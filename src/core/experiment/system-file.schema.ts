import Type from 'typebox';

const unknown = Type.Null();

/** experiment/systems/NAME.json: a machine profile. null means: probe the machine at run time. */
export const systemFileSchema = Type.Object(
  {
    $schema: Type.Optional(Type.String()),
    title: Type.String({ minLength: 1 }),
    accelerator: Type.Union([Type.Enum(['cuda', 'cpu']), unknown], {
      description: 'cpu: a chip is one CPU rank, functional only.',
    }),
    link: Type.Union([Type.Enum(['c2c', 'pcie', 'none']), unknown], {
      description: 'How a chip is tied to its host.',
    }),
    chipsPerNode: Type.Union([Type.Integer({ minimum: 1 }), unknown]),
    gpuName: Type.Union([Type.String({ minLength: 1 }), unknown], {
      description: 'Part of the name that the driver reports; local machines with it borrow link and peak.',
    }),
    gpuGiB: Type.Union([Type.Number({ exclusiveMinimum: 0 }), unknown], {
      description: 'GPU memory a chip, GiB.',
    }),
    hostGiB: Type.Union([Type.Number({ exclusiveMinimum: 0 }), unknown], {
      description: 'Host memory of a node, GiB.',
    }),
    peakTflops: Type.Union([Type.Number({ exclusiveMinimum: 0 }), unknown], {
      description: 'Dense 16-bit peak a chip, TFLOPS; without it there is no MFU.',
    }),
    cores: Type.Union([Type.Integer({ minimum: 1 }), unknown], { description: 'CPU cores of a node.' }),
    launcher: Type.Union([Type.Enum(['python', 'torchrun', 'deepspeed']), unknown], {
      description: 'For more than one chip.',
    }),
    sources: Type.Record(Type.String(), Type.String({ minLength: 1 }), {
      description: 'Where each number comes from, by field.',
    }),
  },
  { $id: 'system', title: 'Machine profile', additionalProperties: false },
);

export type SystemFile = Type.Static<typeof systemFileSchema>;
