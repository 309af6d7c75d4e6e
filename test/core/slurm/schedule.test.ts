import { describe, expect, it } from 'vitest';
import { limitSeconds } from '../../../src/core/slurm/time-limit.ts';
import { slurmSchedule, type SlurmRequest } from '../../../src/core/slurm/schedule.ts';
import { plainSite } from '../../../src/core/experiment/case.ts';
import { sampleSystem } from '../sample-plan.ts';

const site = { ...plainSite, scheduler: 'slurm' } as const;
const system = sampleSystem({ chipsPerNode: 4, cores: 64, hostGiB: 400, hostGiBPerChip: 100, site });

function made(change: Partial<SlurmRequest>) {
  const layout = { nodes: 1, ranksPerNode: 4 };
  return slurmSchedule({ system, layout, flags: {}, launcher: 'torchrun', exclusiveHost: false, ...change });
}

function options(change: Partial<SlurmRequest>): Readonly<Record<string, string>> {
  const result = made(change);
  if (!result.ok) throw new Error(JSON.stringify(result.faults));
  return result.schedule.options;
}

function faults(slurmWords: readonly string[], slurm: Readonly<Record<string, string>> = {}): string[] {
  const result = made({ flags: { slurmWords, slurm } });
  return result.ok ? [] : result.faults.map(({ place, problem }) => `${place}: ${problem}`);
}

describe('slurmSchedule', () => {
  it('asks for a task a node, a rank where srun starts them, and for its share of cores, GPUs and memory', () => {
    expect(options({})).toMatchObject({
      nodes: '1',
      'ntasks-per-node': '1',
      'cpus-per-task': '64',
      'gpus-per-node': '4',
      mem: '0',
    });
    expect(options({ layout: { nodes: 1, ranksPerNode: 1 } })).toMatchObject({
      'cpus-per-task': '16',
      'gpus-per-node': '1',
      mem: '100G',
    });
    expect(options({ launcher: 'srun', layout: { nodes: 2, ranksPerNode: 4 } })).toMatchObject({
      nodes: '2',
      'ntasks-per-node': '4',
      'cpus-per-task': '16',
    });
  });

  it('takes the whole node for one chip only with --exclusive-host', () => {
    const one = { layout: { nodes: 1, ranksPerNode: 1 } } as const;
    expect(options(one)).not.toHaveProperty('exclusive');
    expect(options({ ...one, exclusiveHost: true })).toMatchObject({
      exclusive: '',
      mem: '0',
      'cpus-per-task': '64',
      'gpus-per-node': '1',
    });
  });

  it('counts no memory of a machine that is not the cluster, and no GPU where there is none', () => {
    const cpu = sampleSystem({ accelerator: 'cpu', chipsPerNode: 4, cores: 4 });
    const asked = options({ system: cpu, layout: { nodes: 1, ranksPerNode: 2 } });
    expect(asked).not.toHaveProperty('mem');
    expect(asked).not.toHaveProperty('gpus-per-node');
  });

  it('lets a flag replace what the site says, and the site what is counted', () => {
    const own = { ...system, site: { ...site, slurm: { partition: 'a', gres: 'gpu:4', qos: 'low' } } };
    const flags = { slurm: { partition: 'b' }, slurmWords: ['--mem=10G', 'comment=x=y'] };
    const asked = options({ system: own, flags });
    expect(asked).toMatchObject({ partition: 'b', gres: 'gpu:4', qos: 'low', mem: '10G', comment: 'x=y' });
    expect(asked).not.toHaveProperty('gpus-per-node');
  });

  it('is not put back into the queue unless asked, and hears of its limit a minute or a tenth before', () => {
    expect(options({})).toMatchObject({
      'no-requeue': '',
      signal: 'B:USR1@60',
      'kill-on-invalid-dep': 'yes',
    });
    expect(options({ flags: { slurmWords: ['requeue'] } })).not.toHaveProperty('no-requeue');
    expect(options({ flags: { slurm: { time: '5' } } })['signal']).toBe('B:USR1@30');
  });

  it('is a step where an allocation is named', () => {
    expect(made({ allocation: '12' })).toMatchObject({ schedule: { allocation: '12' } });
    const named = made({ flags: { slurmWords: ['jobid=13'] }, allocation: '12' });
    expect(named).toMatchObject({ schedule: { allocation: '13' } });
    expect(faults(['jobid=x'])).toEqual(['--slurm jobid=x: is no job id']);
  });

  it('names every fault of the flags at once', () => {
    expect(
      faults(['nodes=3', 'p=x', 'a b=c', 'comment=a\nb', 'signal=TERM@1', 'qos=a', 'qos=b'], { time: '1h' }),
    ).toEqual([
      '--time: "1h" is no time limit',
      '--slurm nodes=3: cannot be set: the layout comes from --chips and the system',
      '--slurm p=x: is a short name',
      '--slurm a b=c: is no option of sbatch',
      '--slurm comment=a\nb: holds a line break, which a line of #SBATCH cannot',
      '--slurm signal=TERM@1: is not what the job listens to',
      '--slurm qos=b: --qos is given twice, and differently',
    ]);
  });
});

describe('limitSeconds', () => {
  it.each([
    ['30', 1800],
    ['5:30', 330],
    ['1:30:00', 5400],
    ['2-0', 172_800],
    ['2-12', 216_000],
    ['1-01:30', 91_800],
    ['1-00:00:10', 86_410],
    ['0', null],
    ['UNLIMITED', null],
    ['1h', undefined],
    ['', undefined],
    ['1:2:3:4', undefined],
    ['-5', undefined],
  ])('%j is %j', (text, seconds) => {
    expect(limitSeconds(text)).toBe(seconds);
  });
});
