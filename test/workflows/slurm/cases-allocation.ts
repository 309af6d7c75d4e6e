import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { processesOfRun } from '../../../src/adapters/processes.ts';
import { askController } from '../../../src/adapters/schedulers/slurm/tools.ts';
import {
  closeAllocation,
  isAllocationOpen,
  openAllocation,
  surroundingAllocation,
} from '../../../src/workflows/slurm/allocation.ts';
import { pollerOf } from '../../../src/workflows/slurm/cluster.ts';
import { requireSlurm } from '../../../src/workflows/slurm/require-slurm.ts';
import type { SlurmCluster } from '../../clusters/slurm.ts';
import { sampleSystem } from '../../core/sample-plan.ts';
import { finish, steps } from '../../e2e/shell-workloads.ts';
import { logOf, slurmPlan, submitted, submittingChild, toolAt, until } from './slurm-runs.ts';

const system = sampleSystem({ accelerator: 'cpu', hostGiB: null, chipsPerNode: 2, cores: 2 });
const twoNodes = { nodes: 2, ranksPerNode: 1 } as const;

/** Many runs in nodes that are held. */
export function allocationCases(the: () => SlurmCluster): void {
  it('runs as steps in an allocation: two beside each other, one on all nodes, one that is ended', async () => {
    const tool = toolAt(the());
    const { context } = tool;
    const flags = { slurmWords: ['time=10'] };
    const request = {
      system,
      layout: twoNodes,
      flags,
      launcher: 'torchrun',
      name: 'allocation-test',
    } as const;
    const { jobId: allocation, nodes } = await openAllocation(context, request);
    expect(nodes).toHaveLength(2);
    const say = `echo "on $(uname -n) rank $SUPEROFFLOAD_NODE_RANK at $MASTER_ADDR:$MASTER_PORT"`;
    const script = `${say}; ${steps({ to: 2 })}; sleep 1; ${finish}`;
    const single = () => submitted(tool, slurmPlan(script, { allocation }));
    const [first, second] = await Promise.all([single(), single()]);
    expect((await first.record).outcome.class).toBe('ok');
    expect((await second.record).outcome.class).toBe('ok');
    const hosts = [first, second].map(({ folder }) => /on (node\d) rank 0/.exec(logOf(folder))?.[1]);
    expect(hosts.sort()).toEqual([...nodes]);
    const both = await submitted(tool, slurmPlan(`${say}; sleep 300`, { allocation, layout: twoNodes }));
    await until('it runs on both', () => (logOf(both.folder).match(/on node\d rank/g) ?? []).length === 2);
    const places = [...logOf(both.folder).matchAll(/rank \d at (\S+)/g)].map(([, place]) => place);
    expect(new Set(places).size).toBe(1);
    expect(places[0]).toMatch(new RegExp(`^${nodes[0]!}:[23]\\d{4}$`));
    await both.run.kill('cancelled');
    expect((await both.record).exit.exitCode).not.toBe(0);
    expect(processesOfRun(both.folder.runId)).toEqual([]);
    expect(await isAllocationOpen(context, allocation)).toBe(true);
    const three = slurmPlan('true', { allocation, layout: { nodes: 3, ranksPerNode: 1 } });
    await expect(requireSlurm(context, [three])).rejects.toThrow('has 2 node(s), the runs need 3');
    await closeAllocation(context, { jobId: allocation });
    await until('it is gone', async () => !(await isAllocationOpen(context, allocation)));
    const late = await submitted(tool, slurmPlan('true', { allocation }));
    expect((await late.record).outcome).toMatchObject({ class: 'cancelled' });
    const other = toolAt(the());
    await expect(submitted(other, slurmPlan('true', { allocation }))).rejects.toThrow(
      `there is no allocation ${allocation} to run in`,
    );
    expect(surroundingAllocation({ SLURM_JOB_ID: allocation })).toBe(allocation);
    expect(surroundingAllocation({})).toBeNull();
  });

  it('a second signal ends a step too, though the tool is gone at once', async () => {
    const tool = toolAt(the());
    const layout = { nodes: 1, ranksPerNode: 1 };
    const request = { system, layout, flags: { slurmWords: ['time=10'] }, launcher: 'torchrun' } as const;
    const { jobId } = await openAllocation(tool.context, { ...request, name: 'allocation-forced' });
    // All nodes are this machine, where signals reach the ranks: on others only Slurm does, and is asked to.
    const folder = mkdtempSync(join(tmpdir(), 'forced-'));
    const calls = join(folder, 'calls');
    const squeue = (await the().tool('which', 'squeue')).trim();
    writeFileSync(join(folder, 'squeue'), `#!/bin/sh\necho "$*" >>${calls}; exec ${squeue} "$@"\n`, {
      mode: 0o755,
    });
    const env = { ...tool.context.env, PATH: `${folder}:${tool.context.env['PATH'] ?? ''}` };
    const child = submittingChild({ ...tool, context: { ...tool.context, env } }, 'sleep 300', jobId);
    const [said] = (await once(child.stdout!, 'data')) as [Buffer];
    const runId = said.toString().trim();
    await until('it runs', () => processesOfRun(runId).length > 1);
    child.kill('SIGTERM');
    await until('nothing of it is left', () => processesOfRun(runId).length === 0, 20_000);
    await until(
      'Slurm is asked for its step',
      () => existsSync(calls) && /--steps/.test(readFileSync(calls, 'utf8')),
      10_000,
    );
    rmSync(folder, { recursive: true });
    await closeAllocation(tool.context, { jobId });
  });

  it('asks Slurm no more once it is granted: the program can end', async () => {
    const { context } = toolAt(the());
    const flags = { slurmWords: ['time=10', 'begin=now+4'] };
    const layout = { nodes: 1, ranksPerNode: 1 };
    const request = { system, layout, flags, launcher: 'torchrun', name: 'allocation-later' } as const;
    const { jobId } = await openAllocation(context, request);
    const poller = pollerOf(context, null);
    const before = poller.calls;
    expect(before).toBeGreaterThan(0);
    await closeAllocation(context, { jobId });
    await sleep(4_000);
    expect(poller.calls).toBeLessThanOrEqual(before + 1);
  });

  it('is not granted what no waiting brings, and holds nothing then', async () => {
    const { context, events } = toolAt(the());
    const layout = { nodes: 9, ranksPerNode: 1 };
    const request = { system, layout, flags: {}, launcher: 'torchrun', name: 'allocation-nine' } as const;
    await expect(openAllocation(context, request)).rejects.toThrow(/would never grant|refuses/);
    const found = await the().tool('squeue', '-h', '--name=allocation-nine');
    expect(found).toBe('');
    expect(events.filter(({ type }) => type === 'warning')).toEqual([]);
    expect(await askController({ env: the().env, cluster: null }, ['99999'])).toEqual({
      ok: true,
      value: [],
    });
  });
}
