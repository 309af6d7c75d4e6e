import Type from 'typebox';

const unknown = Type.Null();

/** A number that is refused outside of what any machine has: there, another unit was meant (TB, bytes, Gb/s). */
function quantity(description: string, maximum: number, minimum = 1) {
  return Type.Union([Type.Number({ minimum, maximum }), unknown], { description });
}

const bandwidth = (what: string, maximum: number, minimum?: number) =>
  quantity(`${what}, GB/s (1e9 bytes a second) in one direction.`, maximum, minimum);

const ratesSchema = Type.Object(
  {
    achievableTflops: quantity('16-bit dense matrix product as reached, TFLOPS a chip.', 20_000, 0.1),
    hbmGBps: bandwidth('GPU memory of a chip', 50_000, 10),
    h2dGBps: bandwidth('Pinned host memory to the GPU, a chip', 5_000),
    d2hGBps: bandwidth('GPU to pinned host memory, a chip', 5_000),
    hostGBps: bandwidth('Host memory of a node, as the triad counts it', 50_000),
    adamNsPerParameter: quantity(
      "DeepSpeed's CPU Adam on all cores of a node, nanoseconds a parameter.",
      10_000,
      0.001,
    ),
    intraNodeGBps: bandwidth('Between the chips of a node, a chip', 20_000),
    // 1 Gb/s Ethernet, shared by eight.
    interNodeGBps: bandwidth('Between nodes, a chip', 5_000, 0.01),
  },
  { additionalProperties: false, description: 'What a prediction of step time needs; null: not known.' },
);

const lines = Type.Array(Type.String({ minLength: 1 }));

const siteSchema = Type.Object(
  {
    scheduler: Type.Enum(['local', 'hostfile', 'slurm']),
    slurm: Type.Record(Type.String(), Type.String(), {
      description: 'sbatch options by their long name without dashes; "" for an option without a value.',
    }),
    modules: Type.Array(Type.String({ minLength: 1 }), {
      description: 'Loaded on every node before the run, by `module load`.',
    }),
    setup: { ...lines, description: 'Shell lines on every node before the run, after the modules.' },
    env: Type.Record(Type.String(), Type.String(), {
      description: 'Network variables and the like, for every rank.',
    }),
    binding: Type.Union([Type.Enum(['none', 'deepspeed', 'numactl', 'srun']), unknown], {
      description:
        'What holds ranks to their cores and memory; null: numactl where GPU memory is a NUMA node.',
    }),
  },
  { additionalProperties: false, description: 'How runs are started.' },
);

/** experiment/systems/NAME.json: a machine profile. null means: probe the machine at run time, or not known. */
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
    chipsPerNode: Type.Union([Type.Integer({ minimum: 1, maximum: 1024 }), unknown]),
    gpuName: Type.Union([Type.String({ minLength: 1 }), unknown], {
      description:
        'The end of the name that the driver reports; local machines with it borrow link, peak and rates.',
    }),
    gpuGiB: quantity('GPU memory a chip, GiB.', 4096),
    hostGiB: quantity('Host memory of a node, GiB.', 65_536),
    hostGiBPerChip: quantity('Share of it that belongs to one chip, GiB.', 65_536),
    cores: Type.Union([Type.Integer({ minimum: 1, maximum: 65_536 }), unknown], {
      description: 'CPU cores of a node.',
    }),
    coresPerChip: Type.Union([Type.Integer({ minimum: 1, maximum: 65_536 }), unknown], {
      description: 'Share of them that belongs to one chip.',
    }),
    hostNumaNodes: Type.Union(
      [Type.Array(Type.Integer({ minimum: 0 }), { minItems: 1, uniqueItems: true }), unknown],
      {
        description: 'NUMA nodes that host memory is taken from; the HBM of a GH200 is a NUMA node too.',
      },
    ),
    peakTflops: quantity('Dense 16-bit peak a chip, TFLOPS; without it there is no MFU.', 20_000),
    launcher: Type.Union([Type.Enum(['python', 'torchrun', 'deepspeed', 'srun']), unknown], {
      description: 'For more than one chip.',
    }),
    rates: ratesSchema,
    site: siteSchema,
    sources: Type.Record(Type.String(), Type.String({ minLength: 1 }), {
      description: 'Where each number comes from, by field (rates.h2dGBps); "all" speaks for the rest.',
    }),
  },
  { $id: 'system', title: 'Machine profile', additionalProperties: false },
);

export type SystemFile = Type.Static<typeof systemFileSchema>;
