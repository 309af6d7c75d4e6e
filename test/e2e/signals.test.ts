import { spawn } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { processesOfRun } from '../../src/adapters/processes.ts';
import type { RunRecord } from '../../src/core/results/record.ts';
import {
  createSandbox,
  expectNoStack,
  hasStep,
  isAlive,
  program,
  startedRun,
  startProgram,
  until,
} from './program.ts';
import { measure, steps } from './shell-workloads.ts';

const box = createSandbox();

const bystander = spawn('sleep', ['300'], { stdio: 'ignore' });
afterAll(() => {
  bystander.kill('SIGKILL');
});

/** A tree with a child in the group and one that left it, both of which would live on for minutes. */
const tree = `sleep 300 & setsid sleep 300 & ${steps({ to: 2, planned: 1000 })}; wait`;
const stubborn = `trap '' TERM INT; ${tree}; sleep 300`;

function processesNamed(commandLine: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(commandLine);
    } catch {
      return false;
    }
  });
}

describe('a signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    '%s stops every process of the run and only those, writes the record, and exits %i',
    async (signal, exitCode) => {
      const running = box.start(measure(tree));
      const runId = await startedRun(running);
      await until(
        'the tree stands',
        () =>
          processesOfRun(runId).length >= 3 &&
          hasStep(box.home, runId, 2) &&
          running.stderr().includes('step 1/'),
      );
      running.child.kill(signal);
      const { code, stderr, stdout } = await running.ended;
      expectNoStack({ stdout, stderr });
      expect(code).toBe(exitCode);
      expect(stderr).toMatch(/0 of 1 runs are finished\n.*is kept with the steps it made: .*runs show last/);
      expect(stderr).toContain(`stopped by ${signal}`);
      expect(processesOfRun(runId)).toEqual([]);
      expect(isAlive(bystander.pid!)).toBe(true);
      const record = await box.lastRecord();
      expect(record).toMatchObject({
        runId,
        outcome: { class: 'interrupted' },
        lastIteration: 2,
        recovered: false,
      });
    },
  );

  it('a second Ctrl-C kills at once a tree that ignores SIGTERM; the record is made afterwards', async () => {
    const running = box.start(measure(stubborn));
    const runId = await startedRun(running);
    await until('the tree stands', () => processesOfRun(runId).length >= 3 && hasStep(box.home, runId, 2));
    running.child.kill('SIGINT');
    await until('it is stopping', () => running.stderr().includes('stopping run'));
    // Signals closer together than this are one: see below.
    await sleep(350);
    expect(processesOfRun(runId).length).toBeGreaterThanOrEqual(3);
    const before = Date.now();
    running.child.kill('SIGINT');
    const { code } = await running.ended;
    expect(code).toBe(130);
    expect(Date.now() - before).toBeLessThan(2_500);
    await until('nothing is left', () => processesOfRun(runId).length === 0, 1_000);
    expect(isAlive(bystander.pid!)).toBe(true);
    expect(await box.lastRecord()).toMatchObject({
      runId,
      recovered: true,
      outcome: { class: 'interrupted' },
    });
  });

  it.each([0, 4, 12, 20, 60])(
    'is one with another %i ms later: the run ends gracefully, with a record',
    async (apartMs) => {
      const running = box.start(measure(tree));
      const runId = await startedRun(running);
      running.child.kill('SIGINT');
      await sleep(apartMs);
      running.child.kill('SIGINT');
      expect((await running.ended).code).toBe(130);
      expect(processesOfRun(runId)).toEqual([]);
      const record = JSON.parse(
        readFileSync(join(box.home, 'runs', runId, 'record.json'), 'utf8'),
      ) as RunRecord;
      expect(record).toMatchObject({ outcome: { class: 'interrupted' }, recovered: false });
    },
  );

  it('ends a child without our variable that ignores SIGTERM in the group of the run', async () => {
    const mark = `87${process.pid}`;
    const deaf = `env -i /bin/sh -c "trap '' TERM INT; /bin/sleep ${mark}; /bin/sleep 1" &`;
    const running = box.start(measure(`${deaf} ${steps({ to: 1000 })}`, ['--timeout', '60s']));
    const runId = await startedRun(running);
    await until(
      'the child stands',
      () => processesNamed(`/bin/sleep\0${mark}`).length > 0 && hasStep(box.home, runId, 2),
    );
    running.child.kill('SIGINT');
    await until('it is stopping', () => running.stderr().includes('stopping run'));
    await sleep(350);
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
    await until('nothing is left', () => processesNamed(`/bin/sleep\0${mark}`).length === 0, 1_000);
  });

  it('stops before the next case is started', async () => {
    const running = box.start(measure(steps({ to: 300, pause: 0.05 }), ['--repeat', '3']));
    const runId = await startedRun(running);
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
    expect((await box.lastRecord()).runId).toBe(runId);
  });
});

describe('the first Ctrl-C', () => {
  it.each([
    ['parse - at a pipe that stays open', ['parse', '-']],
    ['doctor', ['doctor']],
    ['runs logs --follow', ['runs', 'logs', '--follow', 'last']],
  ])('ends %s with 130', async (what, argv) => {
    const run = what.startsWith('runs') ? box.start(measure('sleep 60')) : undefined;
    const runId = run === undefined ? '' : await startedRun(run);
    const running = startProgram(process.execPath, ['-e', openPipe, program, ...argv], {
      cwd: box.cwd,
      env: { SUPEROFFLOAD_HOME: box.home, PATH: `${slowTools()}:${process.env['PATH'] ?? ''}` },
    });
    await until('it is at work', () => running.stderr().includes('READY'));
    const before = performance.now();
    running.child.kill('SIGUSR1');
    const { stderr, stdout } = await running.ended;
    expect(stdout).toContain('exit 130');
    expect(stderr).toContain('stopped by SIGINT');
    expect(performance.now() - before).toBeLessThan(2_000);
    run?.child.kill('SIGINT');
    await run?.ended;
    expect(processesOfRun(runId || 'none')).toEqual([]);
  });
});

/** A PATH on which git does not answer, so that doctor is at work for as long as it takes. */
function slowTools(): string {
  const bin = join(box.cwd, 'bin');
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, 'git'), '#!/bin/sh\nexec sleep 20\n', { mode: 0o755 });
  return bin;
}

/** Says when the program listens to the last of its signals, and has had time to be at work. */
const tellsReady = `data:text/javascript,process.on('newListener', (event) => {
  if (event === 'SIGHUP') setTimeout(() => process.stderr.write('READY'), 400);
});`.replaceAll('\n', ' ');

/** Starts the program with a stdin that never ends; SIGUSR1 becomes the user's Ctrl-C. */
const openPipe = `
  const argv = ['--import', ${JSON.stringify(tellsReady)}, ...process.argv.slice(1)];
  const child = require('node:child_process').spawn(process.execPath, argv, { stdio: ['pipe', 'ignore', 'inherit'] });
  process.on('SIGUSR1', () => child.kill('SIGINT'));
  child.on('exit', (code) => { console.log('exit ' + code); });
`;
