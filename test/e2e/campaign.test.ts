import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { parseJournal, type CampaignEvent } from '../../src/core/campaign/journal.ts';
import { isAlive, until, type Sandbox } from './program.ts';
import { begin, createToyCampaign, goOn, launchesOf, resultOf } from './toy-campaign.ts';

function journalOf({ home }: Sandbox, name = 'toy'): CampaignEvent[] {
  return parseJournal(readFileSync(join(home, 'campaigns', name, 'journal.ndjson'), 'utf8'));
}

describe('superoffload campaign', () => {
  it('runs every case once, and has nothing to do the second time', async () => {
    const campaign = await createToyCampaign(4);
    const env = { MALLOC_ARENA_MAX: '2', DS_SECRET: 'abcdefgh12345' };
    const first = await campaign.run([...begin, '--json'], { env });
    expect(first.code, first.stderr).toBe(0);
    const { environment } = await campaign.lastRecord();
    expect(environment?.variables).toMatchObject({ MALLOC_ARENA_MAX: '2', DS_SECRET: '[redacted]' });
    expect(environment?.variables).not.toHaveProperty('HOME');
    expect(resultOf(first).counts).toEqual({
      ...{ total: 4, done: 4, failed: 0, running: 0, left: 0, withResult: 4 },
      launches: { done: 4, total: 4 },
    });
    expect(first.stderr).toMatch(/4 of 4 done/);
    const again = await campaign.run([...goOn, '--json']);
    expect(again.code).toBe(0);
    expect(resultOf(again).cells).toEqual(resultOf(first).cells);
    expect(launchesOf(campaign, 4)).toEqual([1, 1, 1, 1]);
    expect(readdirSync(join(campaign.home, 'runs'))).toHaveLength(4);
  });

  it(
    'killed three times at random moments, it ends with every case run once',
    { timeout: 600_000 },
    async () => {
      const count = 24;
      const campaign = await createToyCampaign(count);
      campaign.stack.setPause(0.03);
      let argv = begin;
      for (const afterMs of [1, 2, 3].map(() => 250 + Math.random() * 1_500)) {
        const running = campaign.start(argv);
        await sleep(afterMs);
        running.child.kill('SIGKILL');
        const { stdout } = await running.ended;
        expect(stdout, 'it must not have been done by then').toBe('');
        if (existsSync(join(campaign.home, 'campaigns', 'toy', 'campaign.json'))) argv = goOn;
      }
      const last = await campaign.run([...argv, '--json']);
      expect(last.code, last.stderr).toBe(0);
      const { cells } = resultOf(last);
      expect(cells.map(({ outcome }) => outcome)).toEqual(Array.from({ length: count }, () => 'ok'));
      expect(launchesOf(campaign, count)).toEqual(Array.from({ length: count }, () => 1));
      // Every launch is a result, and every result is one launch.
      const told = journalOf(campaign).filter(({ type }) => type === 'result');
      const launched = campaign.stack.launches().map((line) => line.split(' ')[0]);
      expect(told.map((event) => ('runId' in event ? event.runId : '')).sort()).toEqual(launched.sort());
    },
  );

  it('follows to its end what a killed tool has left running, and starts it no second time', async () => {
    const campaign = await createToyCampaign(2);
    campaign.stack.setPause(0.4);
    const running = campaign.start(begin);
    await until('a run is at work', () => campaign.stack.launches().length === 1);
    running.child.kill('SIGKILL');
    await running.ended;
    const status = await campaign.run(['campaign', 'status', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({
      state: 'stopped',
      counts: { running: 1, left: 1 },
    });
    const end = await campaign.run([...goOn, '--json']);
    expect(end.code, end.stderr).toBe(0);
    expect(launchesOf(campaign, 2)).toEqual([1, 1]);
  });

  it('stopped by Ctrl-C it says what is kept and how to go on', async () => {
    const campaign = await createToyCampaign(3);
    campaign.stack.setPause(0.15);
    const running = campaign.start(begin);
    await until('the second run is at work', () => campaign.stack.launches().length === 2);
    running.child.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect(code).toBe(130);
    expect(stderr).toContain('1 of 3 cases have a result; all of them are kept');
    expect(stderr).toContain('superoffload campaign run toy --resume');
    const end = await campaign.run([...goOn, '--json']);
    expect(end.code, end.stderr).toBe(0);
    expect(launchesOf(campaign, 3)).toEqual([1, 2, 1]);
    expect(resultOf(end).cells.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'ok']);
  });

  it('counts launches where each case is to have several, and keeps them', async () => {
    const campaign = await createToyCampaign(2);
    campaign.stack.setPause(0.15);
    const running = campaign.start([...begin, '--repeat', '3']);
    await until('the third run is at work', () => campaign.stack.launches().length === 3);
    running.child.kill('SIGINT');
    const { code, stderr } = await running.ended;
    expect(code).toBe(130);
    expect(stderr).toContain('2 of 6 launches, 0 of 2 cases whole');
    expect(stderr).toContain('2 of 2 cases have a result (2 of 6 launches); all of them are kept');
    // After the end of the last run nothing says that one still runs.
    expect(stderr.slice(stderr.lastIndexOf(' after '))).not.toMatch(/\d running|about .* left/);
    const status = await campaign.run(['campaign', 'status', 'toy', '--json']);
    const counts = { done: 0, left: 2, withResult: 2, launches: { done: 2, total: 6 } };
    expect(JSON.parse(status.stdout)).toMatchObject({ counts });
    const { stdout } = await campaign.run(['campaign', 'status', 'toy']);
    expect(stdout).toContain('2 cases: 0 done, 2 of 6 launches, 2 left');
  });

  it('is driven by one tool at a time', async () => {
    const campaign = await createToyCampaign(2);
    // Long enough for two other commands to start and end, on a slow machine too.
    campaign.stack.setPause(2);
    const running = campaign.start(begin);
    await until('a run is at work', () => campaign.stack.launches().length === 1);
    const second = await campaign.run(goOn);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain(`campaign toy is driven by another superoffload (pid ${running.pid})`);
    const status = await campaign.run(['campaign', 'status', 'toy', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ state: 'driven', driverPid: running.pid });
    campaign.stack.setPause(0);
    expect((await running.ended).code).toBe(0);
  });

  it('ends on request, from elsewhere, and can be gone on with', async () => {
    const campaign = await createToyCampaign(3);
    campaign.stack.setPause(5);
    const running = campaign.start(begin);
    await until('a run is at work', () => campaign.stack.launches().length === 1);
    const look = await campaign.run(['campaign', 'cancel', 'toy', '--dry-run']);
    expect(look.stdout).toMatch(/^would end /);
    const cancel = await campaign.run(['campaign', 'cancel', 'toy', '--json']);
    expect(JSON.parse(cancel.stdout)).toMatchObject({ runIds: { length: 1 }, left: 3 });
    expect((await running.ended).code).toBe(4);
    campaign.stack.setPause(0);
    const end = await campaign.run([...goOn, '--json']);
    expect(end.code, end.stderr).toBe(0);
    expect(launchesOf(campaign, 3)).toEqual([2, 1, 1]);
    expect(isAlive(running.pid)).toBe(false);
    const nothing = await campaign.run(['campaign', 'cancel', 'toy']);
    expect(nothing.code).toBe(0);
    expect(nothing.stdout).toContain('nothing of campaign toy is running');
    const { stdout } = await campaign.run(['campaign', 'cancel', 'toy', '--json']);
    expect(JSON.parse(stdout)).toEqual({ name: 'toy', dryRun: false, runIds: [], left: 0 });
  });
});
