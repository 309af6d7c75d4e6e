import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { processesOfRun } from '../../src/adapters/processes.ts';
import type { RunRecord } from '../../src/core/results/record.ts';
import { createSandbox, hasStep, startedRun, until } from './program.ts';
import { finish, measure, steps } from './shell-workloads.ts';

const box = createSandbox();

function eventsOf(runId: string): { type: string; reason?: string }[] {
  const text = readFileSync(join(box.home, 'runs', runId, 'events.ndjson'), 'utf8');
  return text.trim().split('\n').map((line) => JSON.parse(line) as { type: string }); // prettier-ignore
}

describe('a run of a command', () => {
  it('ends with a table, a record, the whole log and a journal', async () => {
    const { code, stdout, stderr } = await box.run(
      measure(`${steps({ to: 5 })}; echo to-stderr >&2; ${finish}`),
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/command .* ok/);
    expect(stdout).toContain('FUNCTIONAL');
    const record = await box.lastRecord();
    expect(record).toMatchObject({
      workload: 'command',
      lastIteration: 5,
      recovered: false,
      exit: { exitCode: 0 },
    });
    expect(record.stepMs).toEqual([20.1, 20.2, 20.3, 20.4, 20.5]);
    const folder = join(box.home, 'runs', record.runId);
    expect(readdirSync(folder).sort()).toEqual([
      'env.json', 'events.ndjson', 'output.log', 'plan.json', 'record.json', 'run.sh',
    ]); // prettier-ignore
    expect(readFileSync(join(folder, 'output.log'), 'utf8')).toContain('to-stderr\n[after training is done]');
    expect(eventsOf(record.runId).map(({ type }) => type)).toEqual(['starting', 'started', 'exited']);
  });

  it('prints progress to stderr and nothing but JSON to stdout', async () => {
    const { stdout, stderr } = await box.run(measure(`${steps({ to: 3 })}; ${finish}`, ['--json']));
    expect((JSON.parse(stdout) as { records: RunRecord[] }).records).toHaveLength(1);
    expect(stderr).toContain('step 3/3');
  });

  it.each([
    ['a failing command', 'echo no; exit 7', 'crash', 4],
    ['a command that does not exist', 'exec /no/such/program', 'crash', 4],
    ['a command that prints no step', 'echo hello', 'incomplete', 4],
    ['a command killed by a signal', `${steps({ to: 2 })}; kill -9 $$`, 'killed_unknown', 4],
    ['a command that says that memory ran out', `${steps({ to: 2 })}; echo 'torch.OutOfMemoryError: CUDA out of memory.'; exit 1`, 'gpu_oom', 4], // prettier-ignore
    [
      'a loss that is not a number',
      `${steps({ to: 3 }).replace('1.0E+01', 'nan')}; ${finish}`,
      'nan_or_inf',
      4,
    ],
  ])('%s', async (_, script, outcome, exitCode) => {
    const { code, stdout } = await box.run(measure(script));
    expect({ code, outcome: (await box.lastRecord()).outcome.class }).toEqual({ code: exitCode, outcome });
    expect(stdout).toContain('superoffload runs logs');
  });

  it('leaves the number of ranks to the command', async () => {
    const world = "echo 'using world size: 4, data-parallel-size: 4, tensor-model-parallel size: 1'";
    expect((await box.run(measure(`${world}; ${steps({ to: 2 })}; ${finish}`))).code).toBe(0);
    expect((await box.lastRecord()).facts['world size']).toBe('4');
  });

  it('stops whatever outlives its command', async () => {
    const { code } = await box.run(measure(`setsid sleep 300 & ${steps({ to: 2 })}; ${finish}`));
    expect(code).toBe(0);
    expect(processesOfRun((await box.lastRecord()).runId)).toEqual([]);
  });
});

describe('the watchdog', () => {
  it.each([
    ['a run without a first step', 'sleep 300', ['--stall-timeout', '0.6s'], 'hang'],
    ['a run that stops making steps', `${steps({ to: 3 })}; sleep 300`, ['--stall-timeout', '0.6s'], 'hang'],
    ['a run that only talks', `${steps({ to: 3 })}; while :; do echo waiting; sleep 0.05; done`, ['--stall-timeout', '0.6s'], 'hang'], // prettier-ignore
    [
      'a stopped process',
      `${steps({ to: 3 })}; kill -STOP $$; sleep 300`,
      ['--stall-timeout', '0.6s'],
      'hang',
    ],
    ['a run beyond its timeout', steps({ to: 1000 }), ['--timeout', '0.7s'], 'time_limit'],
  ])('ends %s', async (_, script, flags, outcome) => {
    const { code, elapsedMs } = await box.run(measure(script, flags));
    const record = await box.lastRecord();
    expect({ code, outcome: record.outcome.class }).toEqual({ code: 4, outcome });
    expect(elapsedMs).toBeLessThan(4_000);
    expect(processesOfRun(record.runId)).toEqual([]);
    expect(eventsOf(record.runId).find(({ type }) => type === 'killed')?.reason).toBe(
      outcome === 'hang' ? 'hang' : 'timeout',
    );
  });

  it('leaves a run alone that is slower than its timeout but makes steps', async () => {
    const script = `${steps({ to: 6, pause: 0.2 })}; ${finish}`;
    expect((await box.run(measure(script, ['--stall-timeout', '0.9s']))).code).toBe(0);
  });
});

describe('a tool that is killed', () => {
  it('leaves the run going and its log whole; the record is rebuilt after its end', async () => {
    const goOn = join(box.home, 'go-on');
    const waits = `until [ -e '${goOn}' ]; do sleep 0.05; done`;
    const script = [steps({ to: 10, planned: 30 }), waits, steps({ from: 11, to: 30 }), finish].join('; ');
    const running = box.start(measure(script));
    const runId = await startedRun(running);
    await until('steps are made', () => hasStep(box.home, runId, 3));
    running.child.kill('SIGKILL');
    await running.ended;
    const listed = JSON.parse((await box.run(['runs', 'list', '--json'])).stdout) as {
      runId: string;
      state: string;
    }[];
    expect(listed.find((run) => run.runId === runId)?.state).toBe('orphaned');
    expect((await box.run(['runs', 'show', runId])).stdout).toContain('running, processes');
    const refused = await box.run(['runs', 'rm', runId]);
    expect({ code: refused.code, stderr: refused.stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/still running[^]*runs cancel/) as string,
    });
    writeFileSync(goOn, '');
    await until('the run ends', () => processesOfRun(runId).length === 0);
    const log = readFileSync(join(box.home, 'runs', runId, 'output.log'), 'utf8');
    expect(log.trim().split('\n')).toHaveLength(31);
    const record = await box.lastRecord();
    expect(record).toMatchObject({ runId, recovered: true, lastIteration: 30, durationMs: null });
    expect(record.stepMs).toHaveLength(30);
    expect(record.outcome.class).toBe('ok');
    expect(existsSync(join(box.home, 'runs', runId, 'record.json'))).toBe(true);
  });
});

describe('two runs of one second', () => {
  it('have folders, logs and records of their own', async () => {
    const ends = await Promise.all(
      [3, 4].map((count) => box.run(measure(`${steps({ to: count })}; ${finish}`, ['--json']))),
    );
    const records = ends.map(({ stdout }) => (JSON.parse(stdout) as { records: RunRecord[] }).records[0]!);
    expect(new Set(records.map(({ runId }) => runId)).size).toBe(2);
    expect(records.map(({ lastIteration }) => lastIteration)).toEqual([3, 4]);
  });
});
