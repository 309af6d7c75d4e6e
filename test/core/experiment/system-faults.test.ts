import { describe, expect, it } from 'vitest';
import { dataFolders, readSystem, readSystemFile } from '../../../src/adapters/experiment-data.ts';
import type { SystemFile } from '../../../src/core/experiment/system-file.schema.ts';

const packageRoot = new URL('../../../', import.meta.url).pathname;
const sound = readSystem('deltaai', dataFolders({ cwd: '/nonexistent', packageRoot })).file;

/** What a file with these changes is told, a line a fault; '' for a sound one. */
function told(change: Partial<Record<keyof SystemFile, unknown>>): string {
  const read = readSystemFile(JSON.stringify({ ...sound, ...change }), 'mine.json');
  if (read.ok) return '';
  return read.faults
    .map(
      ({ place, problem, expected }) =>
        `${place}: ${problem}${expected === undefined ? '' : ` | ${expected}`}`,
    )
    .join('\n');
}

describe('a system file of a user', () => {
  it('is taken as it is where nothing is wrong', () => {
    expect(told({})).toBe('');
  });

  it('with units in it, or in another unit, is told which unit it is, all at once', () => {
    const rates = { ...sound.rates, h2dGBps: 406e9, adamNsPerParameter: '0.2 s' };
    expect(told({ gpuGiB: '96 GB', hostGiB: 480_000, peakTflops: 0.99, rates })).toBe(
      [
        'mine.json /gpuGiB: is "96 GB" | a number in GiB (2**30 bytes): 96 GB are 89.4; null where it is not known',
        'mine.json /hostGiB: is 480000: it must be <= 65536 | a number in GiB (2**30 bytes): 96 GB are 89.4; null where it is not known',
        'mine.json /peakTflops: is 0.99: it must be >= 1 | a number in TFLOPS, dense: NVIDIA also states twice that, with sparsity; null where it is not known',
        'mine.json /rates/h2dGBps: is 406000000000: it must be <= 5000 | a number in GB/s (1e9 bytes a second), one direction: NVIDIA states the sum of both; null where it is not known',
        'mine.json /rates/adamNsPerParameter: is "0.2 s" | a number in nanoseconds a parameter: 0.225 s for 1e9 parameters are 0.225; null where it is not known',
      ].join('\n'),
    );
  });

  it('in terabytes, or with a NUMA node twice, is refused too', () => {
    const slips = { hbmGBps: 4, h2dGBps: 0.406, hostGBps: 0.307, intraNodeGBps: 0.45 };
    const faults = told({
      ...{ gpuGiB: 0.089, hostGiB: 0.48, hostNumaNodes: [0, 0] },
      rates: { ...sound.rates, ...slips },
    });
    const places = faults.split('\n').map((line) => line.split(':')[0]?.replace('mine.json ', ''));
    expect(places).toEqual([
      ...['/gpuGiB', '/hostGiB', '/hostNumaNodes'],
      ...Object.keys(slips).map((field) => `/rates/${field}`),
    ]);
  });

  it('with a number under another name or none is told both', () => {
    const { hostGiB, ...rest } = sound;
    const read = readSystemFile(JSON.stringify({ ...rest, hostGB: hostGiB }), 'mine.json');
    expect(read).toMatchObject({ ok: false });
    expect(told({ hostGiB: undefined, hostGB: 480 } as object)).toBe(
      [
        'mine.json /hostGiB: is missing | a number in GiB (2**30 bytes): 96 GB are 89.4; null where it is not known',
        'mine.json /hostGB: is not a known key | did you mean "hostGiB"?',
      ].join('\n'),
    );
  });

  it('that names its GPU must say what the machine has: nothing of it is probed', () => {
    expect(told({ gpuGiB: null, cores: null, coresPerChip: null })).toBe(
      [
        'mine.json /gpuGiB: is null, which stands for what a probe finds; a file that names its GPU is of another machine | a number in GiB (2**30 bytes): 96 GB are 89.4',
        'mine.json /cores: is null, which stands for what a probe finds; a file that names its GPU is of another machine | a number',
      ].join('\n'),
    );
  });

  it('must not contradict itself', () => {
    const rates = { ...sound.rates, achievableTflops: 1979 };
    expect(told({ hostGiBPerChip: 476, coresPerChip: 144, rates, link: 'none' })).toBe(
      [
        'mine.json /hostGiBPerChip: is 476 on each of 4 chips, together 1904 | no more than the 476 GiB of the node',
        'mine.json /coresPerChip: is 144 on each of 4 chips, together 576 | no more than the 288 cores of the node',
        'mine.json /rates/achievableTflops: is 1979, above the peak | 990 at most',
        'mine.json /link: is "none" for chips with a GPU | "c2c", "pcie" or null',
      ].join('\n'),
    );
    expect(told({ accelerator: 'cpu' }).split('\n')).toHaveLength(3);
  });

  it('says where each number comes from, or where all do', () => {
    expect(told({ sources: { ...sound.sources, gpuGiB: undefined, 'rates.h2dGBps': undefined } })).toBe(
      [
        'mine.json /sources/gpuGiB: is missing: where does 95 come from? | a data sheet, a page or a measurement; or "all" for the whole file',
        'mine.json /sources/rates.h2dGBps: is missing: where does 406 come from? | a data sheet, a page or a measurement; or "all" for the whole file',
      ].join('\n'),
    );
    expect(told({ sources: { all: 'measured by us' } })).toBe('');
  });

  it('names options of sbatch and variables as they are written, and binds by srun only under Slurm', () => {
    const site = {
      ...sound.site,
      scheduler: 'local',
      slurm: { '--account': 'abc' },
      env: { 'NCCL NET': 'x' },
      binding: 'srun',
    };
    expect(told({ site })).toBe(
      [
        'mine.json /site/slurm/--account: is not the long name of an option of sbatch, without dashes | such as partition, gpus-per-node',
        'mine.json /site/env/NCCL NET: is not the name of a variable',
        'mine.json /site/binding: is "srun" under the scheduler "local" | numactl, deepspeed or none; or the scheduler slurm',
      ].join('\n'),
    );
  });
});
