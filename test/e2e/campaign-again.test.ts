import { describe, expect, it } from 'vitest';
import type { CampaignResult } from '../../src/workflows/campaign/run-campaign.ts';
import { begin, createToyCampaign, goOn, launchesOf, resultOf } from './toy-campaign.ts';
import { toySizes } from './toy-stack.ts';

/** Of the shell: out of host memory. */
const oom = `echo "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000000000 bytes"; exit 1`;

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
