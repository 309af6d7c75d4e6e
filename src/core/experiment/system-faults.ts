import type { Fault } from '../../errors.ts';
import type { SystemFile } from './system-file.schema.ts';

/** What the end of a field's name says of its unit, and a slip that is often made. */
const units: readonly (readonly [RegExp, string])[] = [
  [/GiB(PerChip)?$/, 'a number in GiB (2**30 bytes): 96 GB are 89.4'],
  [/GBps$/, 'a number in GB/s (1e9 bytes a second), one direction: NVIDIA states the sum of both'],
  [/Tflops$/, 'a number in TFLOPS, dense: NVIDIA also states twice that, with sparsity'],
  [/NsPerParameter$/, 'a number in nanoseconds a parameter: 0.225 s for 1e9 parameters are 0.225'],
];

/** Says the unit behind a fault of a number that is missing or not one, or is far beyond what its unit allows. */
export function withUnit(fault: Fault): Fault {
  const unit = units.find(([pattern]) => pattern.test(fault.place))?.[1];
  return unit === undefined ? fault : { ...fault, expected: `${unit}; null where it is not known` };
}

/**
 * What a schema cannot say of a system file: numbers that contradict each other, that lack a source, or that are left
 * out where they must not be.
 * @param place what the file is called in a message.
 */
export function systemFaults(file: SystemFile, place: string): Fault[] {
  return [...missingNumbers(file), ...contradictions(file), ...siteFaults(file), ...missingSources(file)].map(
    (fault) => ({ ...fault, place: `${place} ${fault.place}` }),
  );
}

const ofTheMachine = ['chipsPerNode', 'gpuGiB', 'hostGiB', 'cores'] as const;

/** A file that names its GPU describes another machine: what this one has must not be filled in. */
function missingNumbers(file: SystemFile): Fault[] {
  if (file.gpuName === null) return [];
  return ofTheMachine
    .filter((field) => file[field] === null)
    .map((field) =>
      withoutNull({
        place: `/${field}`,
        problem:
          'is null, which stands for what a probe finds; a file that names its GPU is of another machine',
        expected: 'a number',
      }),
    );
}

function withoutNull(fault: Fault): Fault {
  const { expected, ...rest } = withUnit(fault);
  return { ...rest, expected: (expected ?? 'a number').replace('; null where it is not known', '') };
}

/** Shares may exceed the whole by what rounding does. */
const rounding = 1.01;

function contradictions(file: SystemFile): Fault[] {
  const { chipsPerNode, hostGiB, hostGiBPerChip, cores, coresPerChip, peakTflops, rates } = file;
  const faults: Fault[] = [];
  const shared = (place: string, share: number | null, all: number | null, unit: string): void => {
    const together = (share ?? 0) * (chipsPerNode ?? 1);
    if (all === null || together <= all * rounding) return;
    const problem = `is ${share} on each of ${chipsPerNode} chips, together ${together}`;
    faults.push({ place, problem, expected: `no more than the ${all}${unit} of the node` });
  };
  shared('/hostGiBPerChip', hostGiBPerChip, hostGiB, ' GiB');
  shared('/coresPerChip', coresPerChip, cores, ' cores');
  const { achievableTflops } = rates;
  if (peakTflops !== null && achievableTflops !== null && achievableTflops > peakTflops) {
    const problem = `is ${achievableTflops}, above the peak`;
    faults.push({ place: '/rates/achievableTflops', problem, expected: `${peakTflops} at most` });
  }
  if (file.accelerator === 'cuda' && file.link === 'none') {
    const problem = 'is "none" for chips with a GPU';
    faults.push({ place: '/link', problem, expected: '"c2c", "pcie" or null' });
  }
  for (const field of ['gpuName', 'gpuGiB', 'peakTflops'] as const) {
    if (file.accelerator !== 'cpu' || file[field] === null) continue;
    const problem = `is ${JSON.stringify(file[field])} for chips without a GPU`;
    faults.push({ place: `/${field}`, problem, expected: 'null, or "accelerator": "cuda"' });
  }
  return faults;
}

function siteFaults({ site }: SystemFile): Fault[] {
  const options = Object.keys(site.slurm)
    .filter((name) => !/^[a-z][a-z0-9-]*$/.test(name))
    .map((name) => ({
      place: `/site/slurm/${name}`,
      problem: 'is not the long name of an option of sbatch, without dashes',
      expected: 'such as partition, gpus-per-node',
    }));
  const variables = Object.keys(site.env)
    .filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    .map((name) => ({ place: `/site/env/${name}`, problem: 'is not the name of a variable' }));
  const needless =
    site.binding === 'srun' && site.scheduler !== 'slurm'
      ? [
          {
            place: '/site/binding',
            problem: `is "srun" under the scheduler "${site.scheduler}"`,
            expected: 'numactl, deepspeed or none; or the scheduler slurm',
          },
        ]
      : [];
  return [...options, ...variables, ...needless];
}

/** Every number says where it comes from, so that a prediction can be traced. */
function missingSources({ sources, ...file }: SystemFile): Fault[] {
  if (sources['all'] !== undefined) return [];
  const numbers = [
    ...Object.entries(file).map(([field, value]) => [field, value] as const),
    ...Object.entries(file.rates).map(([field, value]) => [`rates.${field}`, value] as const),
  ];
  return numbers
    .filter(([field, value]) => typeof value === 'number' && sources[field] === undefined)
    .map(([field, value]) => ({
      place: `/sources/${field}`,
      problem: `is missing: where does ${JSON.stringify(value)} come from?`,
      expected: 'a data sheet, a page or a measurement; or "all" for the whole file',
    }));
}
