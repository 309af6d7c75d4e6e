import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { processesOfRun } from '../../src/adapters/processes.ts';
import type { RunRecord } from '../../src/core/results/record.ts';
import { createSandbox, hasStep, startedRun, until } from './program.ts';
import { finish, measure, steps } from './shell-workloads.ts';

const box = createSandbox();

/** A run whose superoffload was killed, at its first step. */
async function orphan(script: string): Promise<string> {
  const tool = box.start(measure(script));
  const runId = await startedRun(tool);
  await until('the first step', () => hasStep(box.home, runId, 1));
  tool.child.kill('SIGKILL');
  await tool.ended;
  return runId;
}

describe('a run whose superoffload was killed', () => {
  it('is followed to its end by runs watch, and its record written once', async () => {
    const runId = await orphan(`${steps({ to: 8, pause: 0.2 })}; ${finish}`);
    const { code, stdout, stderr } = await box.run(['runs', 'watch', runId, '--json']);
    expect(code, stderr).toBe(0);
    const record = JSON.parse(stdout) as RunRecord;
    expect(record).toMatchObject({ runId, recovered: true, lastIteration: 8, outcome: { class: 'ok' } });
    expect(stderr).toContain('step 8/8');
    expect(await box.lastRecord()).toEqual(record);
    const again = await box.run(['runs', 'watch', runId, '--json']);
    expect(JSON.parse(again.stdout)).toEqual(record);
  });

  it('is ended by runs cancel', async () => {
    const runId = await orphan(`${steps({ to: 600, pause: 0.1 })}; ${finish}`);
    const { code, stdout, stderr } = await box.run(['runs', 'cancel', runId]);
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: `${runId}: cancelled\n` });
    expect(processesOfRun(runId)).toEqual([]);
    expect((await box.lastRecord()).exit.stoppedBy).toBe('cancelled');
  });
});

describe('runs watch beside a superoffload that is at work', () => {
  it('shows the steps as they come, and the record that the other one writes', async () => {
    const tool = box.start(measure(`${steps({ to: 12, pause: 0.25 })}; ${finish}`));
    const runId = await startedRun(tool);
    await until('the first step', () => hasStep(box.home, runId, 1));
    const { code, stdout, stderr } = await box.run(['runs', 'watch', runId, '--json']);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/step \d+\/12/);
    expect(JSON.parse(stdout)).toMatchObject({ runId, recovered: false, lastIteration: 12 });
    expect((await tool.ended).code).toBe(0);
  });
});

describe('runs cancel', () => {
  it('ends a run through the superoffload that follows it', async () => {
    const tool = box.start(measure(`${steps({ to: 600, pause: 0.1 })}; ${finish}`));
    const runId = await startedRun(tool);
    await until('the first step', () => hasStep(box.home, runId, 1));
    const { code, stdout } = await box.run(['runs', 'cancel', 'last']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${runId}: cancelled\n` });
    await tool.ended;
    const events = readFileSync(join(box.home, 'runs', runId, 'events.ndjson'), 'utf8');
    expect(events).toContain('"reason":"cancelled"');
  });

  it('says what a run that has ended came to', async () => {
    await box.run(measure(`${steps({ to: 2 })}; ${finish}`));
    const { code, stderr } = await box.run(['runs', 'cancel', 'last']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/has ended: ok/);
  });

  it('with --dry-run ends nothing', async () => {
    const tool = box.start(measure(`${steps({ to: 8, pause: 0.1 })}; ${finish}`));
    const runId = await startedRun(tool);
    const { stdout } = await box.run(['runs', 'cancel', runId, '--dry-run']);
    expect(stdout).toBe(`${runId}: would end\n`);
    expect((await tool.ended).code).toBe(0);
  });
});
