import { describe, expect, it } from 'vitest';
import { appendEvent, createRunFolder, writePlan } from '../../../src/adapters/run-store.ts';
import { cancelRun } from '../../../src/workflows/runs/cancel.ts';
import { prepareRun } from '../../../src/workflows/runs/run-case.ts';
import { SlurmRun } from '../../../src/workflows/runs/slurm-run.ts';
import type { SlurmCluster } from '../../clusters/slurm.ts';
import { finish, steps } from '../../e2e/shell-workloads.ts';
import { following, jobIdOf, slurmPlan, submitted, toolAt, until } from './slurm-runs.ts';

const endless = `${steps({ to: 2 })}; sleep 300`;

/** An outage alone takes 15 s, beside other tests twice that. */
const outageMs = 120_000;

/** The controller goes away, and a node. */
export function outageCases(the: () => SlurmCluster): void {
  it(
    'goes on while the controller is down: jobs that run, end, begin and are cancelled (point 13)',
    { timeout: outageMs },
    async () => {
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
      await Promise.all([cancelsUntaken(the()), cancelsLost(the())]);
      the().startController();
      const { record } = await late;
      expect((await record).outcome.class).toBe('ok');
      await kill;
      await killed.record;
      const messages = tool.events.flatMap((event) => ('message' in event ? [event.message] : []));
      expect(messages.join('\n')).toMatch(/could not be cancelled/);
      expect(messages.join('\n')).toMatch(/controller answers again/);
      expect(messages.join('\n')).toMatch(/Slurm does not take the job/);
    },
  );

  describe.concurrent('at the same time', () => {
    it(
      'does not need the database: what is submitted, runs and ends while slurmdbd is down',
      { timeout: outageMs },
      async () => {
        const tool = toolAt(the());
        // The node of the test beside it is not theirs.
        const apart = { words: ['nodelist=node2'] };
        const ending = await submitted(tool, slurmPlan(`${steps({ to: 2 })}; sleep 3; ${finish}`, apart));
        const killed = await submitted(tool, slurmPlan(endless, apart));
        await until('both run', () => ending.run.startedMs !== null && killed.run.startedMs !== null);
        the().stopDatabase();
        await expect(the().tool('sacct')).rejects.toThrow(/Connection refused/);
        const late = await submitted(tool, slurmPlan(`${steps({ to: 2 })}; exit 9`, apart));
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
      },
    );

    it('tells that a node died under a run (point 17)', { timeout: outageMs }, async () => {
      const tool = toolAt(the());
      const { run, record, folder } = await submitted(
        tool,
        slurmPlan(endless, { words: ['nodelist=node4'] }),
      );
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
  });
}

/** What a silent controller has not taken ends soon, and what is not known of it is said. */
async function cancelsUntaken(cluster: SlurmCluster): Promise<void> {
  const tool = toolAt(cluster);
  const plan = slurmPlan(endless);
  const folder = await prepareRun(tool.context, plan, null);
  const submission = SlurmRun.submit(tool.context, folder, plan);
  await until('it is told', () =>
    tool.events.some((event) => event.type === 'warning' && /does not take the job/.test(event.message)),
  );
  const beganMs = Date.now();
  // As another program does; this one follows the run.
  const cancelled = cancelRun(toolAt(cluster, { home: tool.home }).context, folder.runId);
  const { record } = following(tool, folder, plan, await submission);
  expect((await record).outcome.class).toBe('cancelled');
  expect(await cancelled).toMatchObject({ runId: folder.runId, outcome: { class: 'cancelled' } });
  expect(Date.now() - beganMs).toBeLessThan(25_000);
  expect(tool.events.findLast((event) => event.type === 'warning')).toMatchObject({
    message: expect.stringContaining('whether Slurm took its job is not known') as string,
    hint: expect.stringContaining(`scancel --name=${folder.runId}`) as string,
  });
}

/** Of a run whose tool is gone nobody can say whether there is a job: that is said at once, and not waited for. */
async function cancelsLost(cluster: SlurmCluster): Promise<void> {
  const tool = toolAt(cluster);
  const folder = await createRunFolder(tool.home, 'lost', Date.now());
  await writePlan(folder, slurmPlan(endless), { tool: null, environment: {} });
  appendEvent(folder, { type: 'submitting', utc: new Date().toISOString(), jobName: folder.runId });
  await expect(cancelRun(tool.context, folder.runId)).rejects.toMatchObject({
    code: 'environment',
    message: expect.stringContaining('cannot be cancelled now') as string,
  });
}
