import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { parseJournal, type CampaignEvent } from '../../../src/core/campaign/journal.ts';
import type { SlurmCluster } from '../../clusters/slurm.ts';
import { until } from '../../e2e/program.ts';
import {
  begin,
  createToyCampaign,
  goOn,
  launchesOf,
  resultOf,
  type ToyCampaign,
} from '../../e2e/toy-campaign.ts';

const count = 6;
const once = Array.from({ length: count }, () => 1);
/** Small enough for several on one node of the cluster. */
const asJobs = ['--scheduler', 'slurm', '--time', '5', '--slurm', 'mem=100M'];

/** A campaign whose runs are jobs of the cluster. */
async function onCluster(cluster: SlurmCluster): Promise<ToyCampaign> {
  const toy = await createToyCampaign(count);
  const env = { SLURM_CONF: cluster.env['SLURM_CONF'] ?? '', SUPEROFFLOAD_SLURM_POLL_SECONDS: '1' };
  return {
    ...toy,
    start: (argv, options) => toy.start(argv, { ...options, env }),
    run: (argv, options) => toy.run(argv, { ...options, env }),
  };
}

function journalOf({ home }: ToyCampaign): CampaignEvent[] {
  return parseJournal(readFileSync(join(home, 'campaigns', 'toy', 'journal.ndjson'), 'utf8'));
}

/** What the journal tells: every attempt with its one result. */
function expectEachOnce(campaign: ToyCampaign): void {
  expect(launchesOf(campaign, count)).toEqual(once);
  const runsOf = (type: CampaignEvent['type']): string[] =>
    journalOf(campaign)
      .flatMap((event) => (event.type === type && 'runId' in event ? [event.runId] : []))
      .sort();
  const launched = campaign.stack.launches().map((line) => line.split(' ')[0]);
  expect(runsOf('result')).toEqual(launched.sort());
}

/** Kills the tool once something has happened. */
async function killWhen(campaign: ToyCampaign, argv: readonly string[], what: string, isSo: () => boolean) {
  const running = campaign.start(argv);
  await until(what, isSo, 20_000);
  running.child.kill('SIGKILL');
  await running.ended;
}

export function campaignCases(cluster: () => SlurmCluster): void {
  it(
    'a campaign whose tool is killed three times gives every case to Slurm once',
    { timeout: 120_000 },
    async () => {
      const campaign = await onCluster(cluster());
      campaign.stack.setPause(0.3);
      let argv = [...begin, ...asJobs, '--max-jobs', '2'];
      for (let kill = 0; kill < 3; kill += 1) {
        const running = campaign.start(argv);
        await until('it submits', () => /\[\d+\/6\]/.test(running.stderr()), 20_000);
        await sleep(Math.random() * 1_000);
        running.child.kill('SIGKILL');
        await running.ended;
        argv = [...goOn];
      }
      const end = await campaign.run([...goOn, '--json']);
      expect(end.code, end.stderr).toBe(0);
      expect(resultOf(end).counts).toMatchObject({ total: count, done: count });
      expectEachOnce(campaign);
    },
  );

  it('a campaign as one array goes on with the tasks that Slurm has', { timeout: 120_000 }, async () => {
    const campaign = await onCluster(cluster());
    campaign.stack.setPause(0.2);
    const argv = [...begin, ...asJobs, '--array', '--max-jobs', '2'];
    await killWhen(campaign, argv, 'a task runs', () => campaign.stack.launches().length > 0);
    const end = await campaign.run([...goOn, '--json']);
    expect(end.code, end.stderr).toBe(0);
    expectEachOnce(campaign);
    const jobs = resultOf(end).cells.map(({ runId }) => {
      const events = readFileSync(join(campaign.home, 'runs', runId ?? '', 'events.ndjson'), 'utf8');
      return /"jobId":"(\d+)_\d+"/.exec(events)?.[1];
    });
    expect(new Set(jobs).size).toBe(1);
  });

  it('a campaign in an allocation goes on there, and gives it back', { timeout: 120_000 }, async () => {
    const campaign = await onCluster(cluster());
    campaign.stack.setPause(0.2);
    const argv = [...begin, ...asJobs, '--allocation'];
    await killWhen(campaign, argv, 'the second run is there', () => campaign.stack.launches().length === 2);
    const end = await campaign.run([...goOn, '--json']);
    expect(end.code, end.stderr).toBe(0);
    expectEachOnce(campaign);
    const held = journalOf(campaign).flatMap((event) => (event.type === 'allocation' ? [event.jobId] : []));
    expect(held).toHaveLength(1);
    expect(await cluster().tool('squeue', '-h', '-t', 'RUNNING', '-j', held[0]!, '-o', '%T')).toBe('');
  });
}
