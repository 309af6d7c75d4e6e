import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readRun } from '../../../src/adapters/stored-runs.ts';
import { runsFolder } from '../../../src/adapters/run-store.ts';
import { cancelJob } from '../../../src/adapters/schedulers/slurm/tools.ts';
import { SlurmRun } from '../../../src/workflows/runs/slurm-run.ts';
import type { SlurmCluster } from '../../clusters/slurm.ts';
import { finish, steps } from '../../e2e/shell-workloads.ts';
import {
  following,
  jobIdOf,
  journalOf,
  slurmPlan,
  submitted,
  submittingChild,
  toolAt,
  until,
} from './slurm-runs.ts';

/** The tool itself is killed, asks too often or is not allowed to. */
export function toolCases(the: () => SlurmCluster): void {
  it('is killed after it submitted: another one follows the job to its end', async () => {
    const tool = toolAt(the());
    const script = `${steps({ to: 2 })}; while ! [ -e go ]; do sleep 0.1; done; ${finish}`;
    const child = submittingChild(tool, script);
    const [said] = (await once(child.stdout!, 'data')) as [Buffer];
    child.kill('SIGKILL');
    await once(child, 'exit');
    const stored = readRun(tool.home, said.toString().trim());
    const run = await SlurmRun.attach(tool.context, stored, stored.plan!, stored.events);
    const { record } = following(tool, stored, stored.plan!, run!);
    writeFileSync(join(stored.path, 'go'), '');
    expect((await record).outcome.class).toBe('ok');
    const again = readRun(tool.home, stored.runId);
    expect(await SlurmRun.attach(tool.context, stored, stored.plan!, again.events)).toBeNull();
  });

  it('is killed between sbatch and its journal: the job is found by its name', async () => {
    const tool = toolAt(the());
    const { folder, record, run } = await submitted(
      tool,
      slurmPlan(`${steps({ to: 2 })}; ${finish}`, { words: ['begin=now+3'] }),
    );
    const jobId = jobIdOf(tool, folder);
    run.release();
    const known = journalOf(tool, folder).filter(({ type }) => type !== 'submitted');
    const other = toolAt(the(), { home: tool.home });
    const plan = readRun(tool.home, folder.runId).plan!;
    const found = await SlurmRun.attach(other.context, folder, plan, known);
    expect(journalOf(tool, folder).findLast(({ type }) => type === 'submitted')).toMatchObject({ jobId });
    expect((await following(other, folder, plan, found!).record).outcome.class).toBe('ok');
    void record;
  });

  it('never submitted: after a while there is nothing to follow', async () => {
    const tool = toolAt(the());
    const folder = { runId: '20260102T030405Z-never-abcd', path: join(runsFolder(tool.home), 'never') };
    mkdirSync(folder.path, { recursive: true });
    const submitting = { type: 'submitting', utc: '2026-01-02T03:04:05Z', jobName: folder.runId } as const;
    expect(await SlurmRun.attach(tool.context, folder, slurmPlan('true'), [submitting])).toBeNull();
    expect(await SlurmRun.attach(tool.context, folder, slurmPlan('true'), [])).toBeNull();
  });

  it('works without sacct, by the files that the jobs left', async () => {
    // A database that says nothing, and a controller that forgot.
    const folder = mkdtempSync(join(tmpdir(), 'no-sacct-'));
    program(folder, 'sacct', 'echo "Slurm accounting storage is disabled" >&2; exit 1');
    const marker = join(folder, 'forgotten');
    program(
      folder,
      'squeue',
      `[ -e ${marker} ] || exec ${await whereIs(the(), 'squeue')} "$@"; echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1`,
    );
    const env = { ...toolAt(the()).context.env, PATH: `${folder}:${the().env['PATH'] ?? ''}` };
    const tool = toolAt(the(), { env });
    const { record, run } = await submitted(tool, slurmPlan(`${steps({ to: 2 })}; sleep 2; exit 7`));
    await until('it runs', () => run.startedMs !== null);
    writeFileSync(marker, '');
    const { exit, outcome } = await record;
    expect(exit).toMatchObject({ exitCode: 7, scheduler: null });
    expect(outcome.class).toBe('crash');
    rmSync(folder, { recursive: true });
  });

  it('asks for all jobs at once, and never more often than it may', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'counted-'));
    const calls = join(folder, 'calls');
    for (const tool of ['squeue', 'sacct', 'scontrol'])
      program(
        folder,
        tool,
        `echo "${tool} $(date +%s.%N) $*" >>${calls}; exec ${await whereIs(the(), tool)} "$@"`,
      );
    const env = {
      ...the().env,
      SUPEROFFLOAD_SLURM_POLL_SECONDS: '3',
      PATH: `${folder}:${the().env['PATH'] ?? ''}`,
    };
    const tool = toolAt(the(), { env });
    const scripts = Array.from({ length: 6 }, (_, index) =>
      slurmPlan(`sleep ${4 + (index % 2)}; exit ${index}`),
    );
    const runs = await Promise.all(scripts.map((plan) => submitted(tool, plan)));
    const records = await Promise.all(runs.map(({ record }) => record));
    expect(records.map(({ exit }) => exit.exitCode)).toEqual([0, 1, 2, 3, 4, 5]);
    const lines = readFileSync(calls, 'utf8').trim().split('\n');
    const times = lines.map((line) => Number(line.split(' ')[1]));
    const gaps = times.slice(1).map((time, index) => time - times[index]!);
    expect(lines.length).toBeGreaterThan(1);
    expect(Math.min(...gaps)).toBeGreaterThan(2.8);
    expect(lines.some((line) => (/--jobs=(\S+)/.exec(line)?.[1]?.split(',').length ?? 0) === 6)).toBe(true);
    rmSync(folder, { recursive: true });
  });

  it("cancels nobody else's job, and no job twice (point 4)", async () => {
    const access = { env: the().env, cluster: null };
    expect(await cancelJob(access, '99999', null)).toEqual({ ok: true, value: null });
    const tool = toolAt(the());
    const { folder, record, run } = await submitted(tool, slurmPlan('sleep 300'));
    await until('it runs', () => run.startedMs !== null);
    const own = mkdtempSync(join(tmpdir(), 'nobody-'));
    chmodSync(own, 0o755);
    program(
      own,
      'scancel',
      `exec setpriv --reuid=65534 --regid=65534 --clear-groups ${await whereIs(the(), 'scancel')} "$@"`,
    );
    const nobody = { ...access, env: { ...access.env, PATH: `${own}:${access.env['PATH'] ?? ''}` } };
    const jobId = jobIdOf(tool, folder);
    expect(await cancelJob(nobody, jobId, null)).toMatchObject({ ok: false, isUnreachable: false });
    expect(await cancelJob(access, jobId, 'another')).toEqual({ ok: true, value: null });
    expect(run.waitingFor).toBeNull();
    expect(await cancelJob(access, jobId, folder.runId)).toEqual({ ok: true, value: null });
    await record;
    expect(await cancelJob(access, jobId, folder.runId)).toEqual({ ok: true, value: null });
    rmSync(own, { recursive: true });
  });
}

async function whereIs(cluster: SlurmCluster, tool: string): Promise<string> {
  return (await cluster.tool('which', tool)).trim();
}

function program(folder: string, name: string, code: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${code}\n`);
  chmodSync(join(folder, name), 0o755);
}
