import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { processesOfRun } from '../../../src/adapters/processes.ts';
import { askAccounting, askController, showJob } from '../../../src/adapters/schedulers/slurm/tools.ts';
import { runFiles } from '../../../src/core/results/run-files.ts';
import type { SlurmCluster } from '../../clusters/slurm.ts';
import { finish, obedientSteps, steps } from '../../e2e/shell-workloads.ts';
import { jobIdOf, journalOf, logOf, slurmPlan, submitted, toolAt, until } from './slurm-runs.ts';

/** A workload that begins, says so, and goes on until it is ended. */
const endless = `${steps({ to: 2 })}; sleep 300`;

/** Slurm looks at limits every 30 s: these begin first, and have more time than others. */
const limits = { timeout: 90_000 };

export function limitCases(the: () => SlurmCluster): void {
  it('is asked to end before its time limit, and its record is complete', limits, async () => {
    const tool = toolAt(the());
    const script = `${obedientSteps(5000)}; ${finish}`;
    const { folder, run, record } = await submitted(tool, { ...slurmPlan(script), steps: 5000 });
    await until('it runs', () => run.startedMs !== null);
    await the().tool('scontrol', 'update', `JobId=${jobIdOf(tool, folder)}`, 'EndTime=now+61');
    const { outcome, exit, lastIteration } = await record;
    expect(outcome.class).toBe('time_limit');
    expect(outcome.reason).toContain('time limit came near');
    expect(exit.exitCode).toBe(0);
    expect(lastIteration).toBeGreaterThan(0);
    expect(lastIteration).toBeLessThan(5000);
    expect(logOf(folder)).toContain('after training is done');
  });

  it('is ended at its time limit (point 8)', limits, async () => {
    const tool = toolAt(the());
    const { folder, run, record } = await submitted(tool, slurmPlan(endless, { words: ['signal=B:USR1@0'] }));
    await until('it runs', () => run.startedMs !== null);
    await the().tool('scontrol', 'update', `JobId=${jobIdOf(tool, folder)}`, 'EndTime=now+1');
    const { outcome } = await record;
    expect(outcome).toMatchObject({ class: 'time_limit' });
    expect(outcome.reason).toMatch(/TIMEOUT \(TimeLimit\)/);
  });
}

/** How runs end, and what their records say of it. */
export function endCases(the: () => SlurmCluster): void {
  it('runs on four nodes from a folder with an odd name, and leaves all of its words', async () => {
    const tool = toolAt(the());
    const script = `echo "node $(uname -n) is $SUPEROFFLOAD_NODE_RANK of $MASTER_ADDR"; [ $SUPEROFFLOAD_NODE_RANK = 0 ] || exit 0; ${steps({ to: 3 })}; ${finish}`;
    const { folder, record } = await submitted(
      tool,
      slurmPlan(script, { layout: { nodes: 4, ranksPerNode: 1 } }),
    );
    const { outcome, exit } = await record;
    expect(outcome.class).toBe('ok');
    expect(exit).toMatchObject({ exitCode: 0, scheduler: null });
    const said = logOf(folder).match(/node node\d is \d of node1/g) ?? [];
    expect(said.sort()).toEqual([0, 1, 2, 3].map((rank) => `node node${rank + 1} is ${rank} of node1`));
    const types = journalOf(tool, folder).map(({ type }) => type);
    expect(types.filter((type) => type !== 'job-state')).toEqual([
      'starting',
      'submitting',
      'submitted',
      'job-ended',
      'exited',
    ]);
    expect(folder.path).toContain("slurm runs' %j ");
  });

  it('tells that somebody cancelled it, and leaves none of its processes (points 14, 15)', async () => {
    const tool = toolAt(the());
    // A child that leaves its session and ignores TERM: Slurm's own bookkeeping loses it.
    const script = `setsid sh -c 'trap : TERM; sleep 301; sleep 302' & ${endless}`;
    const { folder, run, record } = await submitted(tool, slurmPlan(script));
    await until('it runs', () => run.startedMs !== null && processesOfRun(folder.runId).length > 2);
    await the().tool('scancel', jobIdOf(tool, folder));
    const { outcome } = await record;
    expect(outcome.class).toBe('cancelled');
    expect(outcome.reason).toMatch(/^Slurm job \d+: CANCELLED/);
    expect(processesOfRun(folder.runId)).toEqual([]);
    const access = { env: the().env, cluster: null };
    const byWhom = async () => {
      const answer = await askAccounting(access, [jobIdOf(tool, folder)]);
      return answer.ok ? answer.value[0] : undefined;
    };
    await until('sacct says who', async () => (await byWhom())?.cancelledBy === '0');
    expect(await byWhom()).toMatchObject({ state: 'CANCELLED' });
  });

  it('ends on all nodes when one rank dies (point 10)', async () => {
    const tool = toolAt(the());
    const script = `[ $SUPEROFFLOAD_NODE_RANK = 1 ] && exit 3; ${endless}`;
    const { record } = await submitted(tool, slurmPlan(script, { layout: { nodes: 2, ranksPerNode: 1 } }));
    const { outcome, exit, durationMs } = await record;
    // Though the other rank may have been killed outright.
    expect(outcome.class).toBe('crash');
    expect(exit.exitCode).toBe(3);
    expect(durationMs).toBeLessThan(60_000);
  });

  it('knows the exit status of the script where the tools differ (points 2, 3)', async () => {
    const tool = toolAt(the());
    const { folder, record } = await submitted(tool, slurmPlan('exit 143'));
    expect((await record).exit.exitCode).toBe(143);
    const access = { env: the().env, cluster: null };
    const jobId = jobIdOf(tool, folder);
    // squeue shows a job that ended only when asked for all states.
    expect(await askController(access, [jobId])).toMatchObject({
      value: [{ state: 'FAILED', exit: { status: 143, signal: 0 } }],
    });
    expect(await showJob(access, jobId)).toMatchObject({ value: { exit: { status: 143, signal: 0 } } });
    const inDatabase = async () => {
      const answer = await askAccounting(access, [jobId]);
      return answer.ok ? answer.value[0]?.exit : null;
    };
    await until('sacct agrees', async () => (await inDatabase())?.status === 15);
  });

  it('does not take a killed script for one that could not start (point 9)', async () => {
    const tool = toolAt(the());
    const script = `${steps({ to: 1 })}; scancel --batch --signal=KILL $SLURM_JOB_ID; sleep 300`;
    const { record } = await submitted(tool, slurmPlan(script));
    const { outcome, exit } = await record;
    expect(exit.signal).toBe('SIGKILL');
    expect(outcome.class).toBe('killed_unknown');
  });

  it('says that the nodes do not see the run folder (point 9)', async () => {
    const home = join(the().folder, 'unshared', 'home');
    mkdirSync(home, { recursive: true });
    const { record } = await submitted(toolAt(the(), { home }), slurmPlan('echo never'));
    const { outcome } = await record;
    expect(outcome.class).toBe('launch_error');
    expect(outcome.reason).toMatch(/FAILED.*file system that the nodes see/);
  });

  it('goes on after it was put back into the queue; the log grows on (point 7)', async () => {
    const tool = toolAt(the());
    const second = `${steps({ to: 3 })}; ${finish}`;
    const script = `echo "life \${SLURM_RESTART_COUNT:-0}"; [ -n "$SLURM_RESTART_COUNT" ] || sleep 300; ${second}`;
    const { folder, run, record } = await submitted(tool, slurmPlan(script, { words: ['requeue'] }));
    await until(
      'it runs',
      () => existsSync(join(folder.path, runFiles.nodes)) && logOf(folder).includes('life 0'),
    );
    await the().tool('scontrol', 'requeue', jobIdOf(tool, folder));
    await until('it waits', () => run.waitingFor !== null);
    // Its limits of time are those of its new life.
    expect(run.startedMs).toBeNull();
    const { outcome, warnings } = await record;
    expect(outcome.class).toBe('ok');
    expect(warnings.join()).toContain('put its job back into the queue once');
    expect(existsSync(join(folder.path, `${runFiles.nodes}.1`))).toBe(true);
    expect(logOf(folder)).toMatch(/life 0[^]*DUE TO JOB REQUEUE[^]*life 1/);
    expect(
      tool.events.some((event) => event.type === 'warning' && /back into its queue/.test(event.message)),
    ).toBe(true);
    const lives = readFileSync(join(folder.path, runFiles.jobEvents), 'utf8').match(
      /"event":"start".*?"restart":\d/g,
    );
    expect(lives?.map((line) => line.slice(-1))).toEqual(['0', '1']);
  });

  it('says of a requeue that nobody saw that there was one', async () => {
    const env = { ...the().env, SUPEROFFLOAD_SLURM_POLL_SECONDS: '600' };
    const tool = toolAt(the(), { env });
    const second = `${steps({ to: 3 })}; ${finish}`;
    const script = `[ -n "$SLURM_RESTART_COUNT" ] || sleep 300; ${second}`;
    const { folder, run, record } = await submitted(tool, slurmPlan(script, { words: ['requeue'] }));
    await until('it runs', () => run.startedMs !== null);
    const before = journalOf(tool, folder).length; // it may have been seen waiting before it began
    await the().tool('scontrol', 'requeue', jobIdOf(tool, folder));
    const { outcome, warnings } = await record;
    expect(outcome.class).toBe('ok');
    expect(warnings.join()).toContain('put its job back into the queue once');
    const events = journalOf(tool, folder);
    expect(events.filter(({ type }) => type === 'requeued')).toMatchObject([{ restarts: 1 }]);
    const since = events.slice(before);
    expect(since.some((event) => event.type === 'job-state' && event.state === 'PENDING')).toBe(false);
  });

  it('is interrupted with its tool: the job is gone before the tool is', async () => {
    const tool = toolAt(the());
    const { folder, run, record } = await submitted(tool, slurmPlan(endless));
    await until('it runs', () => run.startedMs !== null);
    tool.interrupt.abort(new Error('Ctrl-C'));
    await expect(record).rejects.toThrow('Ctrl-C');
    const answer = await askController({ env: the().env, cluster: null }, [jobIdOf(tool, folder)]);
    expect(answer).toMatchObject({ value: [{ state: 'CANCELLED' }] });
    expect(JSON.parse(readFileSync(join(folder.path, runFiles.record), 'utf8'))).toMatchObject({
      outcome: { class: 'interrupted' },
    });
  });

  it('is ended where nothing can be stored any more, and the tool says why', async () => {
    const tool = toolAt(the());
    const { folder, record } = await submitted(tool, slurmPlan('sleep 4', { words: ['begin=now+3'] }));
    const jobId = jobIdOf(tool, folder);
    // As a full disk: no line can be added.
    renameSync(join(folder.path, runFiles.events), join(folder.path, 'moved'));
    mkdirSync(join(folder.path, runFiles.events));
    await expect(record).rejects.toMatchObject({ code: 'environment' });
    const answer = await askController({ env: the().env, cluster: null }, [jobId]);
    expect(answer).not.toMatchObject({ value: [{ state: 'RUNNING' }] });
  });

  it('is preempted by a job of a better partition', async () => {
    const tool = toolAt(the());
    const words = ['partition=low', 'nodelist=node4', 'exclusive'];
    const { run, record } = await submitted(tool, slurmPlan(endless, { words }));
    await until('it runs', () => run.startedMs !== null, 60_000);
    const other = await submitted(tool, slurmPlan('sleep 1', { words: ['nodelist=node4', 'exclusive'] }));
    expect((await record).outcome).toMatchObject({ class: 'preempted' });
    await other.record;
  });
}
