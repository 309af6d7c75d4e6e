import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { System } from '../../../src/core/experiment/case.ts';
import { arrayScript, arraysOf } from '../../../src/core/slurm/array-script.ts';
import { jobScript } from '../../../src/core/slurm/job-script.ts';
import { slurmSchedule, type SlurmRequest } from '../../../src/core/slurm/schedule.ts';
import type { SlurmPlan } from '../../../src/core/slurm/slurm-plan.ts';
import { sampleSystem } from '../sample-plan.ts';

const golden = join(import.meta.dirname, '..', '..', 'golden', 'slurm');

/** Four superchips a node, as a cluster's file describes them. */
const cluster: Partial<System> = {
  chipsPerNode: 4,
  cores: 288,
  hostGiB: 476,
  hostGiBPerChip: 119,
  launcher: 'deepspeed',
  site: {
    scheduler: 'slurm',
    slurm: { partition: 'ghx4', account: 'abcd-dtai-gh' },
    setup: ['module load cuda'],
    env: {},
    binding: 'numactl',
    hostNumaNodes: [0, 1, 2, 3],
  },
};

function planOf(
  change: Partial<SlurmRequest> = {},
  system: Partial<System> = cluster,
  env: SlurmPlan['env'] = {},
): SlurmPlan {
  const layout = { nodes: 4, ranksPerNode: 4 };
  const request = { system: sampleSystem(system), layout, flags: {}, launcher: 'deepspeed' } as const;
  const made = slurmSchedule({ ...request, exclusiveHost: false, ...change });
  if (!made.ok) throw new Error(JSON.stringify(made.faults));
  return { title: 'prism 25B on 16 chips', env, schedule: made.schedule };
}

const place = { runId: '20260102T030405Z-throughput-prism-25B-16-ab12', folder: '/scratch/me/runs/it' };

const srunEnv = { RANK: '@SLURM_PROCID@' };
const scripts: Readonly<Record<string, string>> = {
  'four-nodes': jobScript(planOf(), place),
  'one-chip': jobScript(
    planOf({ layout: { nodes: 1, ranksPerNode: 1 }, launcher: 'python', flags: { slurm: { time: '5' } } }),
    place,
  ),
  'one-chip-exclusive-host': jobScript(
    planOf({ layout: { nodes: 1, ranksPerNode: 1 }, launcher: 'python', exclusiveHost: true }),
    place,
  ),
  'srun-binds': jobScript(
    planOf(
      { launcher: 'srun', layout: { nodes: 2, ranksPerNode: 4 } },
      { ...cluster, site: { ...sampleSystem(cluster).site, binding: 'srun' } },
      srunEnv,
    ),
    place,
  ),
  allocation: jobScript(planOf({ allocation: '4711', layout: { nodes: 2, ranksPerNode: 4 } }), place),
  'odd-words': jobScript(
    {
      ...planOf({
        layout: { nodes: 1, ranksPerNode: 4 },
        flags: {
          slurm: { nodelist: 'gh[001-004,010]', time: '1-12:00:00' },
          slurmWords: ['comment=it\'s "x" #1 \\b', '--requeue', 'signal=B:USR1@300', 'export=ALL'],
        },
      }),
      title: 'a title\nof two lines',
    },
    { ...place, folder: '/scratch/my $HOME/it\'s "here"\nand %j' },
  ),
  array: arrayScript(
    {
      name: 'array-20260102T030405Z-throughput-prism-25B-16-ab12',
      tasks: [place, { ...place, folder: "/scratch/me/runs/it's" }].map((each) => ({
        place: each,
        plan: planOf(),
      })),
    },
    8,
  ),
};

describe('the job script', () => {
  it.each(Object.entries(scripts))('%s is as it was', async (name, script) => {
    await expect(script).toMatchFileSnapshot(join(golden, `${name}.sbatch`));
  });

  it.each(Object.entries(scripts))(
    '%s is bash, and sbatch reads all of its lines (point 12)',
    (_, script) => {
      const folder = mkdtempSync(join(tmpdir(), 'job-script-'));
      const path = join(folder, 'job.sbatch');
      writeFileSync(path, script);
      execFileSync('bash', ['-n', path]);
      rmSync(folder, { recursive: true });
      expect(script.startsWith('#!/bin/bash\n')).toBe(true);
      expect(script).not.toContain('\r');
      const lines = script.split('\n');
      const directives = lines.filter((line) => line.startsWith('#SBATCH'));
      // What stands below the first command is passed over without a word.
      expect(lines.slice(1, 1 + directives.length)).toEqual(directives);
    },
  );

  it('takes a port that nobody has, another one for another run', () => {
    const ports = ['a', 'b'].map((runId) => {
      const folder = mkdtempSync(join(tmpdir(), 'job-port-'));
      const path = join(folder, 'job.sbatch');
      writeFileSync(path, jobScript(planOf(), { runId, folder }));
      const port = execFileSync('bash', [path, 'port'], { env: { ...process.env, SLURM_JOB_ID: '12' } });
      rmSync(folder, { recursive: true });
      return Number(port.toString());
    });
    expect(new Set(ports).size).toBe(2);
    for (const port of ports) expect(port).toSatisfy((each: number) => each >= 20_000 && each < 32_000);
  });

  it('does not run outside of Slurm', () => {
    const folder = mkdtempSync(join(tmpdir(), 'job-alone-'));
    const path = join(folder, 'job.sbatch');
    writeFileSync(path, jobScript(planOf(), { runId: 'x', folder }));
    const env = { PATH: process.env['PATH'] };
    expect(() => execFileSync('bash', [path], { env, stdio: 'pipe' })).toThrow(/give this script to sbatch/);
    rmSync(folder, { recursive: true });
  });

  it('is kept in golden files that all are still made', () => {
    const kept = readdirSync(golden).sort();
    expect(kept).toEqual(
      Object.keys(scripts)
        .map((name) => `${name}.sbatch`)
        .sort(),
    );
    expect(readFileSync(join(golden, 'allocation.sbatch'), 'utf8')).not.toContain('#SBATCH');
  });
});

describe('arraysOf', () => {
  it('puts runs for the same machines together, no more than Slurm allows', () => {
    const one = { place, plan: planOf({ layout: { nodes: 1, ranksPerNode: 4 } }) };
    const four = { place, plan: planOf() };
    const arrays = arraysOf([one, four, one, one, four], 2);
    expect(arrays.map(({ tasks }) => tasks.map(({ plan }) => plan.schedule.layout.nodes))).toEqual([
      [1, 1],
      [1],
      [4, 4],
    ]);
  });
});
