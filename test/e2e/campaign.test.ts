import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { parseJournal, type CampaignEvent } from '../../src/core/campaign/journal.ts';
import type { CampaignResult } from '../../src/workflows/campaign/run-campaign.ts';
import { isAlive, until, type Sandbox } from './program.ts';
import { begin, createToyCampaign, goOn, launchesOf, resultOf } from './toy-campaign.ts';
import { toySizes } from './toy-stack.ts';

function journalOf({ home }: Sandbox, name = 'toy'): CampaignEvent[] {
  return parseJournal(readFileSync(join(home, 'campaigns', name, 'journal.ndjson'), 'utf8'));
}

/** Of the shell: out of host memory. */
const oom = `echo "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000000000 bytes"; exit 1`;

describe('superoffload campaign', () => {
  it('runs every case once, and has nothing to do the second time', async () => {
    const campaign = await createToyCampaign(4);
    const first = await campaign.run([...begin, '--json']);
    expect(first.code, first.stderr).toBe(0);
    expect(resultOf(first).counts).toEqual({ total: 4, done: 4, failed: 0, running: 0, left: 0 });
    expect(first.stderr).toMatch(/4 of 4 done/);
    const again = await campaign.run([...goOn, '--json']);
    expect(again.code).toBe(0);
    expect(resultOf(again).cells).toEqual(resultOf(first).cells);
    expect(launchesOf(campaign, 4)).toEqual([1, 1, 1, 1]);
    expect(readdirSync(join(campaign.home, 'runs'))).toHaveLength(4);
  });

  it(
    'killed three times at random moments, it ends with every case run once',
    { timeout: 120_000 },
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

  it('is driven by one tool at a time', async () => {
    const campaign = await createToyCampaign(2);
    campaign.stack.setPause(0.3);
    const running = campaign.start(begin);
    await until('a run is at work', () => campaign.stack.launches().length === 1);
    const second = await campaign.run(goOn);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain(`campaign toy is driven by another superoffload (pid ${running.pid})`);
    const status = await campaign.run(['campaign', 'status', 'toy', '--json']);
    expect(JSON.parse(status.stdout)).toMatchObject({ state: 'driven', driverPid: running.pid });
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

describe('what is run again, and what is not', () => {
  it('what the infrastructure lost is, with a bound; what ran out of memory is not', async () => {
    const campaign = await createToyCampaign(3);
    const [lost, full] = toySizes(3).map(({ hidden }) => hidden);
    campaign.stack.failOnce(lost!, 'kill -9 $$');
    const gpuOom = "echo 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.'; exit 1";
    campaign.stack.failOnce(full!, gpuOom);
    const end = await campaign.run([...begin, '--json']);
    expect(end.code, end.stderr).toBe(0);
    expect(launchesOf(campaign, 3)).toEqual([2, 1, 1]);
    expect(end.stderr.match(/\[\d+\/\d+\]/g)).toEqual(['[1/3]', '[1/3]', '[2/3]', '[3/3]']);
    expect(resultOf(end).cells).toMatchObject([
      { outcome: 'ok', lost: 1 },
      { outcome: 'gpu_oom' },
      { outcome: 'ok' },
    ]);
  });

  it('a crash is not unless it is asked for, and says 4', async () => {
    const campaign = await createToyCampaign(2);
    campaign.stack.failOnce(toySizes(1)[0]!.hidden, 'exit 7');
    const end = await campaign.run([...begin, '--json']);
    expect(end.code).toBe(4);
    expect(resultOf(end).counts).toMatchObject({ done: 1, failed: 1 });
    const again = await campaign.run([...goOn, '--retry', 'failed', '--json']);
    expect(again.code, again.stderr).toBe(0);
    expect(launchesOf(campaign, 2)).toEqual([2, 1]);
  });

  it('what another campaign or a single run has measured is taken over, and said', async () => {
    const campaign = await createToyCampaign(3);
    const flags = ['--stack', 'toy', '--mode', 'zero_offload', '--steps', '3'];
    const begun = await campaign.run([...begin, '--filter', 'model=toy0,toy1']);
    expect(begun.code, begun.stderr).toBe(0);
    const second = await campaign.run([...begin, '--name', 'second', '--json']);
    expect(second.code, second.stderr).toBe(0);
    expect(second.stderr).toContain('2 runs of the same case, stack and system were there already');
    expect(resultOf(second).cells.map(({ adopted }) => adopted)).toEqual([true, true, false]);
    expect(launchesOf(campaign, 3)).toEqual([1, 1, 1]);
    const anew = await campaign.run([...begin, '--name', 'third', '--no-reuse', ...flags]);
    expect(anew.code, anew.stderr).toBe(0);
    expect(launchesOf(campaign, 3)).toEqual([2, 2, 2]);
  });

  it('what ran out of memory has other batches in its place, by the rule of the paper', async () => {
    const campaign = await createToyCampaign(2);
    campaign.stack.failOnce(toySizes(1)[0]!.hidden, oom);
    const end = await campaign.run([...begin, '--json']);
    expect(end.code, end.stderr).toBe(0);
    const { cells } = resultOf(end);
    expect(cells[0]).toMatchObject({ outcome: 'host_oom', variant: null });
    const variants = cells.filter(({ variant }) => variant !== null);
    expect(new Set(variants.map(({ variant }) => variant?.why))).toEqual(
      new Set(['accumulation', 'recomputation']),
    );
    expect(variants.every(({ variant, outcome }) => variant?.of === cells[0]?.key && outcome === 'ok')).toBe(
      true,
    );
    expect(cells.filter(({ isBest }) => isBest)).toHaveLength(1);
    // They are derived from the results: a campaign that goes on has the same, and nothing to run.
    const launched = campaign.stack.launches().length;
    const again = await campaign.run([...goOn, '--json']);
    expect(resultOf(again).cells).toEqual(cells);
    const fixed = await campaign.run([...begin, '--name', 'fixed', '--fixed-batch', '--json']);
    expect(resultOf(fixed).cells).toHaveLength(2);
    expect(campaign.stack.launches()).toHaveLength(launched);
  });

  it('--resume --filter leaves the other batches of what it does not name where they are', async () => {
    const campaign = await createToyCampaign(2);
    for (const { hidden } of toySizes(2)) campaign.stack.failOnce(hidden, oom);
    const { cells } = resultOf(await campaign.run([...begin, '--json']));
    const names = (all: readonly { readonly key: string }[]): string[] => all.map(({ key }) => key).sort();
    expect(new Set(cells.map(({ variant }) => variant?.of ?? null)).size).toBe(3);
    const again = await campaign.run([...goOn, '--filter', 'model=toy0']);
    expect(again.code, again.stderr).toBe(0);
    const status = await campaign.run(['campaign', 'status', 'toy', '--json']);
    expect(names((JSON.parse(status.stdout) as CampaignResult).cells)).toEqual(names(cells));
  });

  it('repeats come in turns', async () => {
    const campaign = await createToyCampaign(2);
    const end = await campaign.run([...begin, '--repeat', '3', '--json']);
    expect(end.code, end.stderr).toBe(0);
    const [a, b] = toySizes(2).map(({ hidden }) => String(hidden));
    expect(campaign.stack.launches().map((line) => line.split(' ')[1])).toEqual([a, b, a, b, a, b]);
    expect(resultOf(end).cells.map(({ runIds }) => runIds.length)).toEqual([3, 3]);
  });
});
