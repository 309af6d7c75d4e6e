import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { processesOfRun } from '../../../src/adapters/processes.ts';
import { listRunIds } from '../../../src/adapters/run-store.ts';
import { readRun } from '../../../src/adapters/stored-runs.ts';
import { planCommand } from '../../../src/core/plan/plan-command.ts';
import { isMeasured } from '../../../src/core/results/summarize.ts';
import { verdictOf } from '../../../src/core/search/verdict.ts';
import type { RunLimits, RunPlan } from '../../../src/core/plan/run-plan.ts';
import { SuperOffloadError } from '../../../src/errors.ts';
import type { Context } from '../../../src/workflows/context.ts';
import type { ProgressEvent } from '../../../src/workflows/events.ts';
import { runCase } from '../../../src/workflows/runs/run-case.ts';
import { recoverRecord } from '../../../src/workflows/runs/recover.ts';
import { measureThroughput } from '../../../src/workflows/throughput/throughput.ts';
import { sampleSystem } from '../../core/sample-plan.ts';
import { finish, obedientSteps, steps } from '../../e2e/shell-workloads.ts';

const home = mkdtempSync(join(tmpdir(), 'run-case-'));
afterAll(() => {
  rmSync(home, { recursive: true });
});

function contextOf(signal = new AbortController().signal): { context: Context; events: ProgressEvent[] } {
  const events: ProgressEvent[] = [];
  const context: Context = {
    env: { ...process.env, HF_TOKEN: 'hunter2' },
    cwd: home,
    home,
    packageRoot: join(import.meta.dirname, '..', '..', '..'),
    emit: (event) => events.push(event),
    signal,
    force: new AbortController().signal,
    now: Date.now,
  };
  return { context, events };
}

function plan(script: string, change: Partial<RunPlan> = {}, limits: Partial<RunLimits> = {}): RunPlan {
  const command = ['sh', '-c', script];
  const system = sampleSystem({ accelerator: 'cpu', hostGiB: null });
  return { ...planCommand({ command, system, chips: 1, cwd: home, limits }), ...change };
}

const once = { index: 1, total: 1 };

describe('runCase', () => {
  it('tells what happens as it happens', async () => {
    const { context, events } = contextOf();
    const record = await runCase(context, plan(`${steps({ to: 3 })}; ${finish}`), once);
    expect(events.map(({ type }) => type)).toEqual([
      'run-started',
      'run-step',
      'run-step',
      'run-step',
      'run-ended',
    ]);
    expect(events[2]).toMatchObject({
      type: 'run-step',
      plannedSteps: 3,
      step: { iteration: 2, stepMs: 20.2 },
    });
    expect(record.outcome.class).toBe('ok');
  });

  it('stores no secret of the environment', async () => {
    const { context } = contextOf();
    const { runId } = await runCase(context, plan(`${steps({ to: 1 })}; ${finish}`), once);
    const stored = readFileSync(join(home, 'runs', runId, 'env.json'), 'utf8');
    expect(stored).toContain('"HF_TOKEN": "[redacted]"');
    expect(stored).not.toContain('hunter2');
  });

  it('asks a workload to end once the measurement is stable, and one that obeys is ok', async () => {
    const { context } = contextOf();
    const obedient = `${obedientSteps(2000)}; ${finish}`;
    const record = await runCase(context, plan(obedient, { cwd: null, steps: 2000, maxError: 0.2 }), once);
    expect(record.exit).toMatchObject({ stoppedBy: 'converged', exitCode: 0 });
    expect(record.outcome.class).toBe('ok');
    expect(record.lastIteration).toBeGreaterThanOrEqual(20);
    expect(record.lastIteration).toBeLessThan(2000);
  });

  it('asks a trial to end whose steps stay above its limit: it ended well, and counts as no measurement', async () => {
    const { context } = contextOf();
    const trial = plan(`${obedientSteps(2000)}; ${finish}`, { cwd: null, steps: 2000, abandonAboveMs: 15 });
    const record = await runCase(context, trial, once);
    expect(record.lastIteration).toBeLessThan(200);
    expect(record).toMatchObject({
      exit: { stoppedBy: 'abandoned', exitCode: 0 },
      outcome: { class: 'ok', reason: expect.stringContaining('could not be the fastest') as string },
      abandoned: { aboveMs: 15 },
    });
    // Another warning may say that the machine is busy.
    expect(record.warnings).toContain(
      'stopped early, its steps stay above 0.0150 s: too few of them for a measurement',
    );
    expect(record.statistics?.medianMs).toBeGreaterThan(20);
    expect(isMeasured(record)).toBe(false);
    expect(verdictOf(record)).toEqual({ kind: 'ran' });
    // A tool that was killed meanwhile leaves the same to whoever rebuilds the record.
    const folder = join(home, 'runs', record.runId);
    rmSync(join(folder, 'record.json'));
    expect(recoverRecord(readRun(home, record.runId))).toMatchObject({
      abandoned: { aboveMs: 15 },
      exit: { stoppedBy: 'abandoned' },
    });
  });

  it('lets a trial run whose steps are below its limit, and calls one whole that did all its steps', async () => {
    const { context } = contextOf();
    const fast = plan(`${steps({ to: 12, pause: 0 })}; ${finish}`, { steps: 12, abandonAboveMs: 25 });
    expect(await runCase(context, fast, once)).not.toHaveProperty('abandoned');
    const deaf = plan(`${steps({ to: 12, pause: 0 })}; ${finish}`, { steps: 12, abandonAboveMs: 15 });
    const record = await runCase(context, deaf, once);
    expect(record).not.toHaveProperty('abandoned');
    expect(isMeasured(record)).toBe(true);
  });

  it('writes the record of an interrupted run before it says that it was interrupted', async () => {
    const stop = new AbortController();
    const { context, events } = contextOf(stop.signal);
    const interrupted = new SuperOffloadError({ code: 'interrupted', message: 'stopped by SIGINT' });
    setTimeout(() => {
      stop.abort(interrupted);
    }, 300);
    await expect(runCase(context, plan(steps({ to: 1000 })), once)).rejects.toBe(interrupted);
    const runId = (await listRunIds(home)).find((id) =>
      events.some((event) => 'runId' in event && event.runId === id),
    );
    const record = JSON.parse(readFileSync(join(home, 'runs', runId!, 'record.json'), 'utf8')) as object;
    expect(record).toMatchObject({ outcome: { class: 'interrupted' } });
    expect(processesOfRun(runId!)).toEqual([]);
  });

  it('leaves nothing when both signals come right after the start, before the log was ever looked at', async () => {
    const [stop, force] = [new AbortController(), new AbortController()];
    const { context } = contextOf(stop.signal);
    const interrupted = new SuperOffloadError({ code: 'interrupted', message: 'stopped' });
    let runId = '';
    const emit: Context['emit'] = (event) => {
      if (event.type !== 'run-started') return;
      ({ runId } = event);
      stop.abort(interrupted);
      force.abort(interrupted);
      // The program would exit here: all must be done by now.
      const journal = readFileSync(join(home, 'runs', runId, 'events.ndjson'), 'utf8');
      expect(journal).toContain('"reason":"interrupted"');
    };
    const before = Date.now();
    const running = runCase({ ...context, emit, force: force.signal }, plan("trap '' TERM; sleep 60"), once);
    await expect(running).rejects.toBe(interrupted);
    expect(Date.now() - before).toBeLessThan(3_000);
    expect(processesOfRun(runId)).toEqual([]);
  });

  it('starts nothing after a signal, and keeps no folder of it', async () => {
    const { context, events } = contextOf(AbortSignal.abort(new Error('stopped')));
    const before = await listRunIds(home);
    await expect(runCase(context, plan('sleep 60'), once)).rejects.toThrow('stopped');
    expect(await listRunIds(home)).toEqual(before);
    expect(events).toEqual([]);
  });

  it('warns of a secret in the command, and keeps it out of the title', async () => {
    const { context, events } = contextOf();
    const secret = plan(`HF_TOKEN=hunter2; ${steps({ to: 1 })}; ${finish}`);
    expect(secret.title).toContain('HF_TOKEN=[redacted]');
    await runCase(context, secret, once);
    expect(events[0]).toMatchObject({
      type: 'warning',
      message: expect.stringContaining('secret') as string,
    });
  });

  it('tells the memory in use with every step', async () => {
    const { context, events } = contextOf();
    await runCase(context, plan(`${steps({ to: 2 })}; ${finish}`), once);
    const [step] = events.filter((event) => event.type === 'run-step');
    expect(step?.hostGiB).toBeGreaterThan(0);
    expect(step?.gpuGiB).toBeNull();
  });

  it('fails before anything starts where nothing can be stored', async () => {
    const { context, events } = contextOf();
    const nowhere = { ...context, home: join(import.meta.filename, 'state') };
    await expect(runCase(nowhere, plan('true'), once)).rejects.toMatchObject({ code: 'environment' });
    expect(events).toEqual([]);
  });
});

describe('measureThroughput', () => {
  it('runs every plan in turns, and says which of how many', async () => {
    const { context, events } = contextOf();
    const plans = ['a', 'b'].map((caseId) =>
      plan(`${steps({ to: 3 })}; ${finish}`, { caseId, title: caseId }),
    );
    const result = await measureThroughput(context, plans, 2);
    expect(result.records.map(({ caseId }) => caseId)).toEqual(['a', 'b', 'a', 'b']);
    expect(result.summaries.map(({ launches }) => launches.length)).toEqual([2, 2]);
    expect(events.filter(({ type }) => type === 'run-started')).toMatchObject([
      { index: 1, total: 4 },
      { index: 2, total: 4 },
      { index: 3, total: 4 },
      { index: 4, total: 4 },
    ]);
  });
});
