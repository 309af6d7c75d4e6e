import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { thisPlace } from '../../../src/adapters/place.ts';
import { processesOfRun, startTicks } from '../../../src/adapters/processes.ts';
import { appendEvent, createRunFolder, writePlan, type RunFolder } from '../../../src/adapters/run-store.ts';
import { startLocally } from '../../../src/adapters/schedulers/local.ts';
import { readEvents, watcherOf } from '../../../src/adapters/stored-runs.ts';
import { planCommand } from '../../../src/core/plan/plan-command.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import { attachRun } from '../../../src/workflows/runs/attach.ts';
import type { Context } from '../../../src/workflows/context.ts';
import { sampleSystem } from '../../core/sample-plan.ts';
import { goodLog, recordOf } from '../../core/sample-record.ts';
import { finish, steps } from '../../e2e/shell-workloads.ts';

const home = mkdtempSync(join(tmpdir(), 'attach-'));
const others: ChildProcess[] = [];
afterAll(() => {
  for (const other of others) other.kill('SIGKILL');
  rmSync(home, { recursive: true });
});

const never = new AbortController().signal;
const context: Context = {
  ...{ env: process.env, cwd: home, home, packageRoot: home, now: Date.now },
  ...{ emit: () => undefined, signal: never, force: never },
};
const utc = '2026-01-02T03:04:05Z';
const gone = { toolPid: 1, toolStartTicks: '-1' };

/** A run whose plan is written and whose journal has these tools. */
async function runOf(script: string, change: Partial<RunPlan> = {}): Promise<RunFolder> {
  const system = sampleSystem({ accelerator: 'cpu', hostGiB: null });
  const plan = planCommand({ command: ['sh', '-c', script], system, chips: 1, cwd: home, limits: {} });
  const folder = await createRunFolder(home, plan.caseId, Date.now());
  await writePlan(folder, { ...plan, ...change }, { tool: null });
  return folder;
}

/** A tool that is alive and does nothing. */
function tool(): { child: ChildProcess; toolPid: number; toolStartTicks: string | null } {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  others.push(child);
  return { child, toolPid: child.pid!, toolStartTicks: startTicks(child.pid!) };
}

describe('a run whose tool is gone', { timeout: 600_000 }, () => {
  it('is taken over by one of two that come at the same time; both have its record', async () => {
    const folder = await runOf(
      `${steps({ to: 2 })}; while ! [ -e ${home}/go ]; do sleep 0.1; done; ${finish}`,
    );
    appendEvent(folder, { type: 'starting', utc, ...gone, place: thisPlace() });
    const { pid } = await startLocally(folder.path, folder.runId, process.env);
    appendEvent(folder, { type: 'started', utc, pid, startTicks: startTicks(pid), ...gone });
    const script = fileURLToPath(new URL('./attaching-child.ts', import.meta.url));
    const both = [1, 2].map(() => {
      const child = spawn(process.execPath, ['--import', 'tsx', script, home, folder.runId]);
      others.push(child);
      return child;
    });
    await Promise.all(both.map((child) => once(child.stdout, 'data')));
    for (const child of both) child.stdin.write('go');
    await sleep(1_500);
    // Only the one that follows it does what it is told.
    writeFileSync(join(folder.path, 'cancel'), '');
    const said = await Promise.all(both.map(async (child) => String((await once(child.stdout, 'data'))[0])));
    expect(said).toEqual(['cancelled\n', 'cancelled\n']);
    expect(readEvents(folder.path).filter(({ type }) => type === 'killed')).toHaveLength(1);
    expect(processesOfRun(folder.runId)).toEqual([]);
  });

  it('is waited for while another one follows it, and no longer than it has no record', async () => {
    const folder = await runOf('true');
    const other = tool();
    appendEvent(folder, { type: 'starting', utc, ...gone, place: thisPlace() });
    appendEvent(folder, { type: 'attached', utc, ...other, place: thisPlace() });
    const waiting = attachRun(context, folder.runId);
    const soon = await Promise.race([waiting, sleep(1_000).then(() => 'waits')]);
    expect(soon).toBe('waits');
    // A campaign lives on when a run of it has ended.
    const record = { ...recordOf(goodLog()), runId: folder.runId };
    writeFileSync(join(folder.path, 'record.json'), JSON.stringify(record));
    expect(await waiting).toMatchObject({ runId: folder.runId });
    expect(other.child.exitCode).toBeNull();
  });

  it('is followed by the first of those that are alive, in the order of the journal', () => {
    const [first, second] = [tool(), tool()];
    const place = thisPlace();
    const journal = [
      { type: 'starting', utc, ...gone, place },
      { type: 'attached', utc, ...first, place: { ...place, boot: 'of another machine' } },
      { type: 'attached', utc, ...second, place },
      { type: 'attached', utc, ...first, place },
    ] as const;
    expect(watcherOf(journal)).toMatchObject({ toolPid: second.toolPid });
    expect(watcherOf(journal.slice(0, 2))).toBeNull();
  });

  it('is not judged from another machine where its step has its srun there', async () => {
    const layout = { nodes: 1, ranksPerNode: 1 };
    const step = {
      scheduler: 'slurm',
      layout,
      options: {},
      setup: [],
      bindCores: false,
      allocation: '7',
    } as const;
    const folder = await runOf('true', { schedule: step });
    const place = { ...thisPlace(), boot: 'of another machine', machine: null };
    appendEvent(folder, { type: 'starting', utc, ...gone, place });
    const begun = { event: 'start', utc, job: '7', restart: 0, host: 'a', nodes: 'a', port: 1 };
    writeFileSync(join(folder.path, 'job.ndjson'), `${JSON.stringify(begun)}\n`);
    await expect(attachRun(context, folder.runId)).rejects.toThrow('started on another machine');
    const ended = { event: 'end', utc, job: '7', restart: 0, exitCode: 3 };
    writeFileSync(join(folder.path, 'job.ndjson'), `${JSON.stringify(begun)}\n${JSON.stringify(ended)}\n`);
    const record = await attachRun({ ...context, env: { PATH: '/nowhere' } }, folder.runId);
    expect(record).toMatchObject({ exit: { exitCode: 3 } });
    expect(readFileSync(join(folder.path, 'events.ndjson'), 'utf8')).toContain('"attached"');
  });
});
