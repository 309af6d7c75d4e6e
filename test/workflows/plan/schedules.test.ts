import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { System } from '../../../src/core/experiment/case.ts';
import type { SchedulingFlags } from '../../../src/core/launch/scheduling-flags.ts';
import { requestOf } from '../../../src/cli/flags/case.ts';
import { resolveMachine, type Machine } from '../../../src/workflows/machine.ts';
import { otherMachineNotes } from '../../../src/workflows/plan/plan-notes.ts';
import { schedulesOf } from '../../../src/workflows/plan/schedules.ts';
import { sampleSystem } from '../../core/sample-plan.ts';
import { context, cwd } from '../throughput/plan-context.ts';

const options = { chips: 1, system: 'local', stack: 'pip' } as const;

async function scheduleFor(system: System, chips: number, scheduling: SchedulingFlags) {
  const machine: Machine = { ...(await resolveMachine(context(), 'local')), system };
  const request = { ...requestOf(options, { dryRun: true }), scheduling };
  return (await schedulesOf(context(), request, machine))(chips);
}

const nvl2 = sampleSystem({ name: 'gh200-nvl2', chipsPerNode: 2 });

describe('schedulesOf', () => {
  it('refuses flags that no scheduler of this run reads, all of them', async () => {
    const flags = { slurm: { account: 'a', time: '10' }, slurmWords: ['mem=1'] };
    await expect(scheduleFor(nvl2, 2, flags)).rejects.toThrow(/--account: [^]*--time: [^]*--slurm: /);
    expect(await scheduleFor(nvl2, 2, { ...flags, scheduler: 'slurm' })).toMatchObject({
      scheduler: 'slurm',
      layout: { nodes: 1, ranksPerNode: 2 },
      options: { account: 'a', mem: '1' },
    });
  });

  it('fills whole nodes of a system that is named, wherever it runs', async () => {
    await expect(scheduleFor(nvl2, 3, {})).rejects.toThrow(/whole nodes of 2 chips \(expected 2 or 4\)/);
    await expect(scheduleFor(nvl2, 3, { scheduler: 'slurm' })).rejects.toThrow(/expected 2 or 4/);
    expect(await scheduleFor(nvl2, 4, {})).toBeNull();
  });

  it('refuses hosts with more slots than the system has chips a node', async () => {
    const hostfile = join(cwd, 'hosts');
    writeFileSync(hostfile, 'a slots=4\nb slots=4\n');
    await expect(scheduleFor(nvl2, 8, { hostfile })).rejects.toThrow(
      /gives 4 slots .* gh200-nvl2 has 2 chip/,
    );
    writeFileSync(hostfile, 'a slots=2\nb slots=2\n');
    expect(await scheduleFor(nvl2, 4, { hostfile })).toMatchObject({ layout: { nodes: 2, ranksPerNode: 2 } });
  });
});

describe('otherMachineNotes', () => {
  it('names numbers that are not of the machines which run', async () => {
    const local = await resolveMachine(context(), 'local');
    expect(otherMachineNotes(local, 'local', 4)).toEqual([]);
    expect(otherMachineNotes(local, 'slurm', 4)).toEqual([expect.stringMatching(/--system/)]);
    const named = { ...local, system: nvl2 };
    expect(otherMachineNotes(named, 'slurm', 4)).toEqual([]);
    expect(otherMachineNotes(named, 'local', 4)).toEqual([expect.stringMatching(/has 2 chip\(s\) a node/)]);
  });
});
