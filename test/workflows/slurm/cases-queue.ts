import { expect, it } from 'vitest';
import { askController } from '../../../src/adapters/schedulers/slurm/tools.ts';
import { requireSlurm } from '../../../src/workflows/slurm/require-slurm.ts';
import type { SlurmCluster } from '../../clusters/slurm.ts';
import { jobIdOf, slurmPlan, submitted, toolAt } from './slurm-runs.ts';

const nineNodes = { layout: { nodes: 9, ranksPerNode: 1 } } as const;

/** Jobs that wait, and those that wait for nothing. */
export function queueCases(the: () => SlurmCluster): void {
  it.each([
    ['more nodes than there are', () => nineNodes, /PartitionNodeLimit|PartitionConfig/],
    ["a limit over the partition's", () => ({ words: ['partition=short', 'time=60'] }), /PartitionTimeLimit/],
  ])('gives up a job that would wait for ever: %s (point 5)', async (_, wanted, reason) => {
    const tool = toolAt(the());
    // 24.11 takes no job for more nodes than there are.
    const taken = await submitted(tool, slurmPlan('true', wanted())).catch(
      (error: unknown) => error as Error,
    );
    if (taken instanceof Error) {
      expect(taken.message).toContain('no node of the partition');
      return;
    }
    const { folder, record } = taken;
    const { outcome, durationMs } = await record;
    expect(outcome.class).toBe('launch_error');
    expect(outcome.reason).toMatch(reason);
    expect(durationMs).toBeLessThan(60_000);
    const answer = await askController({ env: the().env, cluster: null }, [jobIdOf(tool, folder)]);
    expect(answer).toMatchObject({ value: [{ state: 'CANCELLED' }] });
  });

  it('gives up a job whose dependency failed, however Slurm is told to treat it (point 6)', async () => {
    const tool = toolAt(the());
    const failed = await submitted(tool, slurmPlan('exit 1'));
    const afterok = `dependency=afterok:${jobIdOf(tool, failed.folder)}`;
    const killed = await submitted(tool, slurmPlan('true', { words: [afterok] }));
    const held = await submitted(tool, slurmPlan('true', { words: [afterok, 'kill-on-invalid-dep=no'] }));
    const hint = expect.stringContaining('leave its dependency out') as string;
    expect((await killed.record).outcome).toMatchObject({ class: 'launch_error', hint });
    const { outcome } = await held.record;
    expect(outcome).toMatchObject({ class: 'launch_error', hint });
    expect(outcome.reason).toContain('DependencyNeverSatisfied');
  });

  it('is refused before anything is submitted, every reason at once (points 5, 12)', async () => {
    const { context } = toolAt(the());
    const refusedBy = async (...plans: ReturnType<typeof slurmPlan>[]) =>
      requireSlurm(context, plans).then(
        () => 'accepted',
        (error: unknown) => (error as Error).message,
      );
    expect(await refusedBy(slurmPlan('true'))).toBe('accepted');
    const all = await refusedBy(
      slurmPlan('true', nineNodes),
      slurmPlan('true', { words: ['partition=nowhere'] }),
      slurmPlan('true', { words: ['partition=short', 'time=60'] }),
      slurmPlan('true', { words: ['gpus-per-node=9'] }),
      slurmPlan('true', { words: ['nodelist=node77'] }),
      slurmPlan('true', { words: ['constraint=nothing'] }),
      slurmPlan('true', { words: ['no-such-option'] }),
    );
    expect(all.split('\n')).toHaveLength(7);
    expect(all).toContain('partition batch: gives a run at most 4 nodes, not 9');
    expect(all).toMatch(/--partition nowhere: there is no such partition .*batch, short, low/);
    expect(all).toContain('--time 60: is over the limit of partition short (expected at most 00:05:00)');
    expect(all).toContain('no node of the partition has what a run asks for');
    expect(all).toContain('there is no such node');
    expect(all).toContain('no node has these features');
    expect(all).toContain('sbatch does not know an option');
  });

  it('says that there is no Slurm here', async () => {
    const { context } = toolAt(the(), { env: { PATH: '/nowhere' } });
    await expect(requireSlurm(context, [slurmPlan('true')])).rejects.toThrow(
      'there is no scontrol here: runs cannot be given to Slurm from this machine',
    );
  });

  it('names the cluster of several (point 11)', async () => {
    const tool = toolAt(the());
    const { folder, record } = await submitted(tool, slurmPlan('exit 4', { words: ['clusters=test'] }));
    expect((await record).exit.exitCode).toBe(4);
    expect(jobIdOf(tool, folder)).toMatch(/^\d+$/);
  });
}
