import { expect, it } from 'vitest';
import type { SlurmCluster } from '../../clusters/slurm.ts';
import { finish, steps } from '../../e2e/shell-workloads.ts';
import { jobIdOf, slurmPlan, submitted, toolAt, until } from './slurm-runs.ts';

const endless = `${steps({ to: 2 })}; sleep 300`;

/** The controller goes away, and a node. */
export function outageCases(the: () => SlurmCluster): void {
  it('goes on while the controller is down: jobs that run, end, begin and are cancelled (point 13)', async () => {
    const tool = toolAt(the());
    const running = await submitted(tool, slurmPlan(`${steps({ to: 2 })}; sleep 4; ${finish}`));
    const killed = await submitted(tool, slurmPlan(endless));
    await until('both run', () => running.run.startedMs !== null && killed.run.startedMs !== null);
    the().stopController();
    await until('it is told', () =>
      tool.events.some(
        (event) => event.type === 'warning' && /controller does not answer/.test(event.message),
      ),
    );
    expect((await running.record).outcome.class).toBe('ok');
    const kill = killed.run.kill('cancelled');
    const late = submitted(tool, slurmPlan(`${steps({ to: 2 })}; ${finish}`));
    await new Promise((resolve) => setTimeout(resolve, 8_000));
    the().startController();
    const { record } = await late;
    expect((await record).outcome.class).toBe('ok');
    await kill;
    await killed.record;
    const messages = tool.events.flatMap((event) => ('message' in event ? [event.message] : []));
    expect(messages.join('\n')).toMatch(/could not be cancelled/);
    expect(messages.join('\n')).toMatch(/controller answers again/);
    expect(messages.join('\n')).toMatch(/Slurm does not take the job/);
  });

  it('does not need the database: what is submitted, runs and ends while slurmdbd is down', async () => {
    const tool = toolAt(the());
    const ending = await submitted(tool, slurmPlan(`${steps({ to: 2 })}; sleep 3; ${finish}`));
    const killed = await submitted(tool, slurmPlan(endless));
    await until('both run', () => ending.run.startedMs !== null && killed.run.startedMs !== null);
    the().stopDatabase();
    await expect(the().tool('sacct')).rejects.toThrow(/Connection refused/);
    const late = await submitted(tool, slurmPlan(`${steps({ to: 2 })}; exit 9`));
    await the().tool('scancel', jobIdOf(tool, killed.folder));
    expect((await ending.record).outcome.class).toBe('ok');
    expect((await killed.record).outcome).toMatchObject({ class: 'cancelled' });
    expect((await late.record).exit.exitCode).toBe(9);
    the().startDatabase();
    // What the controller kept for it comes later, and is right then.
    await until('the database has all', async () => {
      const jobs = [ending, killed, late].map(({ folder }) => jobIdOf(tool, folder)).join();
      const said = await the()
        .tool('sacct', '-nPX', `--jobs=${jobs}`, '--format=State')
        .catch(() => '');
      return said === 'COMPLETED\nCANCELLED by 0\nFAILED\n';
    });
  });

  it('tells that a node died under a run (point 17)', async () => {
    const tool = toolAt(the());
    const { run, record, folder } = await submitted(tool, slurmPlan(endless, { words: ['nodelist=node4'] }));
    await until('it runs', () => run.startedMs !== null, 60_000);
    await the().tool('scontrol', 'update', 'NodeName=node4', 'State=DOWN', 'Reason=test');
    const { outcome } = await record;
    // A node that answers may be back by itself.
    await the()
      .tool('scontrol', 'update', 'NodeName=node4', 'State=RESUME')
      .catch(() => '');
    expect(outcome.class).toBe('node_fail');
    expect(outcome.reason).toContain(`Slurm job ${jobIdOf(tool, folder)}: NODE_FAIL`);
  });
}
