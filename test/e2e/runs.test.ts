import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { thisPlace } from '../../src/adapters/place.ts';
import { processesOfRun, startTicks } from '../../src/adapters/processes.ts';
import type { RunRecord } from '../../src/core/results/record.ts';
import { createSandbox, expectNoStack, program, startedRun, startProgram, until } from './program.ts';
import { finish, measure, steps } from './shell-workloads.ts';

const box = createSandbox();
const ids = (): string[] => readdirSync(join(box.home, 'runs')).sort();
const quote = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`;

/** Runs a shell pipeline around the program, as a user types it; `superoffload` stands for the program. */
function pipeline(code: string) {
  const script = code.replaceAll('superoffload', `${quote(process.execPath)} ${quote(program)}`);
  return startProgram('bash', ['-o', 'pipefail', '-c', script], {
    cwd: box.cwd,
    env: { SUPEROFFLOAD_HOME: box.home },
  });
}

beforeAll(async () => {
  expect((await box.run(['runs', 'list'])).stdout).toContain('no runs yet');
  for (const count of [3, 4, 5])
    expect((await box.run(measure(`${steps({ to: count })}; ${finish}`))).code).toBe(0);
});

describe('superoffload runs', () => {
  it('list shows every run, oldest first; --json is for programs', async () => {
    const { stdout } = await box.run(['runs', 'list']);
    for (const id of ids()) expect(stdout).toContain(id);
    const listed = JSON.parse((await box.run(['runs', 'list', '--json'])).stdout) as {
      runId: string;
      state: string;
    }[];
    expect(listed.map(({ runId }) => runId)).toEqual(ids());
    expect(new Set(listed.map(({ state }) => state))).toEqual(new Set(['ok']));
  });

  it('show finds a run by id, beginning, end and `last`', async () => {
    const id = ids()[0]!;
    for (const wanted of [id, id.slice(-4)]) {
      const { stdout } = await box.run(['runs', 'show', wanted, '--json']);
      expect((JSON.parse(stdout) as RunRecord).runId).toBe(id);
    }
    expect((await box.lastRecord()).lastIteration).toBe(5);
    const { stdout } = await box.run(['runs', 'show', 'last']);
    expect(stdout).toMatch(/outcome +ok: ended as it meant to after iteration 5/);
    expect(stdout).toContain(join(box.home, 'runs'));
  });

  it.each([
    ['nothing-like-it', /there is no run "nothing-like-it" in .*runs/],
    [String(new Date().getUTCFullYear()), /"\d{4}" stands for 3 runs: \d{8}T/],
    ['20', /"20" names no run: give at least 4 characters/],
    ['', /"" names no run: give at least 4 characters/],
    ['../..', /there is no run/],
  ])('refuses %j with the reason', async (wanted, message) => {
    for (const verb of ['show', 'logs', 'replay', 'rm']) {
      const { code, stderr } = await box.run(['runs', verb, wanted]);
      expect({ verb, code }).toEqual({ verb, code: 2 });
      expect(stderr).toMatch(message);
      expect(stderr).toContain('superoffload runs list');
    }
    expect(ids()).toHaveLength(3);
  });

  it('logs prints the log as it is', async () => {
    const id = ids()[0]!;
    const { stdout } = await box.run(['runs', 'logs', id]);
    expect(stdout).toBe(readFileSync(join(box.home, 'runs', id, 'output.log'), 'utf8'));
  });

  it('logs --follow goes on until the run ends', async () => {
    const running = box.start(measure(`${steps({ to: 20, pause: 0.05 })}; ${finish}`));
    const runId = await startedRun(running);
    const followed = await box.run(['runs', 'logs', '--follow', runId]);
    await running.ended;
    expect(followed.stdout).toBe(readFileSync(join(box.home, 'runs', runId, 'output.log'), 'utf8'));
    expect(followed.stdout).toContain('[after training is done]');
    expect((await box.run(['runs', 'rm', runId])).code).toBe(0);
  });

  it('replay --dry-run shows the plan; replay runs it again as a run of its own', async () => {
    const before = ids();
    const dry = await box.run(['runs', 'replay', 'last', '--dry-run']);
    expect(dry.stdout).toContain('## run.sh');
    expect(ids()).toEqual(before);
    // Ids of one second are in no order of their own.
    const first = JSON.parse((await box.run(['runs', 'show', before[0]!, '--json'])).stdout) as RunRecord;
    const { code, stdout } = await box.run(['runs', 'replay', before[0]!, '--json']);
    expect(code).toBe(0);
    const record = JSON.parse(stdout) as RunRecord;
    expect(record).toMatchObject({ lastIteration: first.lastIteration, outcome: { class: 'ok' } });
    expect(before).not.toContain(record.runId);
    expect((await box.run(['runs', 'rm', record.runId])).code).toBe(0);
  });

  it('rm --dry-run removes nothing; rm removes all or none', async () => {
    const [first, second] = ids();
    expect((await box.run(['runs', 'rm', '--dry-run', first!])).stdout).toContain(`would remove ${first}`);
    expect((await box.run(['runs', 'rm', first!, 'not-there'])).code).toBe(2);
    expect(ids()).toHaveLength(3);
    expect(
      (await box.run(['runs', 'rm', first!, second!, first!])).stdout.split('\n').filter(Boolean),
    ).toHaveLength(2);
    expect(ids()).toHaveLength(1);
  });
});

describe('a run of another machine', () => {
  const other = { boot: 'another', pidNamespace: 'pid:[1]', machine: null };

  /** A run that never was here, at the point where only its journal tells of it. */
  function place(machine: object): string {
    const id = `20260102T030405Z-elsewhere-${randomBytes(2).toString('hex')}`;
    cpSync(join(box.home, 'runs', ids().at(-1)!), join(box.home, 'runs', id), { recursive: true });
    rmSync(join(box.home, 'runs', id, 'record.json'));
    const event = { type: 'starting', utc: '2026-01-02T03:04:05.000Z', toolPid: 1, toolStartTicks: '1', place: machine }; // prettier-ignore
    writeFileSync(join(box.home, 'runs', id, 'events.ndjson'), `${JSON.stringify(event)}\n`);
    return id;
  }

  it('is neither judged, nor written to, nor removed', async () => {
    const id = place(other);
    const listed = JSON.parse((await box.run(['runs', 'list', '--json'])).stdout) as { runId: string; state: string }[]; // prettier-ignore
    expect(listed.find(({ runId }) => runId === id)?.state).toBe('elsewhere');
    expect((await box.run(['runs', 'show', id])).stdout).toContain('state: elsewhere');
    const refused = await box.run(['runs', 'rm', id]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/started on another machine[^]*rm -r .*elsewhere/);
    expect(existsSync(join(box.home, 'runs', id, 'record.json'))).toBe(false);
    rmSync(join(box.home, 'runs', id), { recursive: true });
  });

  it('has ended when it is this machine before it was started again', async () => {
    const { machine } = thisPlace();
    const id = place({ ...other, machine });
    const { stdout } = await box.run(['runs', 'show', id]);
    expect(stdout.includes('rebuilt from the log')).toBe(machine !== null);
    rmSync(join(box.home, 'runs', id), { recursive: true });
  });

  it('is held by its tool from before its start until its record is written', async () => {
    const tool = { toolPid: process.pid, toolStartTicks: startTicks(process.pid) };
    const id = place(thisPlace());
    const starting = { type: 'starting', utc: '2026-01-02T03:04:05.000Z', ...tool, place: thisPlace() };
    writeFileSync(join(box.home, 'runs', id, 'events.ndjson'), `${JSON.stringify(starting)}\n`);
    expect((await box.run(['runs', 'show', id])).stdout).toContain('running: its superoffload is at work');
    expect((await box.run(['runs', 'rm', id])).code).toBe(2);
    rmSync(join(box.home, 'runs', id), { recursive: true });
  });
});

describe('results that cannot be written', () => {
  it('are said plainly with exit 3', async () => {
    const end = await pipeline('superoffload runs list > /dev/full').ended;
    expectNoStack(end);
    expect(end.code).toBe(3);
    expect(end.stderr).toContain('cannot write to stdout: the disk is full');
  });

  it('do not hide that a run failed: throughput | true', async () => {
    const words = measure('exit 7').map(quote).join(' ');
    for (let round = 0; round < 3; round += 1) {
      const end = await pipeline(`superoffload ${words} 2>/dev/null | true`).ended;
      expect(end.code).toBe(4);
    }
  });
});

describe('a reader that leaves early', () => {
  it('is no error: runs logs | head', async () => {
    expect((await box.run(measure(`${steps({ to: 3 })}; yes | head -c 2000000; ${finish}`))).code).toBe(0);
    const end = await pipeline('superoffload runs logs last | head -1').ended;
    expect({ code: end.code, stderr: end.stderr, lines: end.stdout.split('\n').length }).toEqual({
      code: 0,
      stderr: '',
      lines: 2,
    });
  });

  it('does not stop a run whose progress nobody reads, nor leave it behind: throughput 2>&1 | head -1', async () => {
    const code = `${steps({ to: 10, pause: 0.03 })}; ${finish}`;
    const words = measure(code).map(quote).join(' ');
    const { stdout, stderr } = await pipeline(`superoffload ${words} 2>&1 | head -1`).ended;
    expectNoStack({ stdout, stderr });
    expect(stdout.split('\n')).toHaveLength(2);
    expect(await box.lastRecord()).toMatchObject({
      lastIteration: 10,
      recovered: false,
      outcome: { class: 'ok' },
    });
  });

  it('is no matter for a run when the terminal closes both', async () => {
    const child = spawn(
      process.execPath,
      [program, ...measure(`${steps({ to: 10, pause: 0.03 })}; ${finish}`)],
      {
        cwd: box.cwd,
        env: { ...process.env, SUPEROFFLOAD_HOME: box.home },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    child.stdout.destroy();
    child.stderr.destroy();
    await new Promise((resolve) => child.on('exit', resolve));
    const record = await box.lastRecord();
    expect(record).toMatchObject({ lastIteration: 10, recovered: false });
    await until('nothing is left', () => processesOfRun(record.runId).length === 0);
  });
});
