import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CampaignStatus } from '../../src/workflows/campaign/status.ts';
import { begin, createToyCampaign, goOn, launchesOf, resultOf } from './toy-campaign.ts';
import { writeToyExperiment, writeToyStack } from './toy-stack.ts';

describe('a campaign that is not what it was', () => {
  it('says what changed, and goes on when that is accepted', async () => {
    const campaign = await createToyCampaign(2);
    expect((await campaign.run(begin)).code).toBe(0);
    writeToyExperiment(campaign.cwd, 3);
    const refused = await campaign.run(goOn);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('campaign toy is not what it was when it was stopped:');
    expect(refused.stderr).toMatch(/added: zero_offload, toy2, 1 chip/);
    expect(refused.stderr).toContain('--accept-changes');
    const accepted = await campaign.run([...goOn, '--accept-changes', '--json']);
    expect(accepted.code, accepted.stderr).toBe(0);
    expect(resultOf(accepted).counts.done).toBe(3);
    expect(launchesOf(campaign, 3)).toEqual([1, 1, 1]);
    // From now on it is so.
    expect((await campaign.run(goOn)).code).toBe(0);
  });

  it('is not begun twice under one name, unless nothing of it has run', async () => {
    const campaign = await createToyCampaign(1);
    writeFileSync(join(campaign.stack.folder, 'lock.json'), '{}');
    const broken = await campaign.run(begin);
    expect(broken.code).toBe(3);
    await writeToyStack(campaign.home);
    expect((await campaign.run(begin)).code).toBe(0);
    const twice = await campaign.run(begin);
    expect(twice.code).toBe(2);
    expect(twice.stderr).toContain('campaign run toy --resume');
  });

  it('says of a complete one that it is, where its results are, and how to go beyond it', async () => {
    const campaign = await createToyCampaign(2);
    expect((await campaign.run(begin)).code).toBe(0);
    const twice = await campaign.run(begin);
    expect(twice.code).toBe(2);
    expect(twice.stderr).toContain('campaign toy is complete: 2 of 2 cases have a result');
    expect(twice.stderr).toContain('superoffload campaign status toy');
    expect(twice.stderr).toContain('superoffload report --from toy');
    expect(twice.stderr).toContain(join(campaign.home, 'runs'));
    // What only half of the cases have is not complete, and can be gone on with.
    const half = await createToyCampaign(2);
    half.stack.setPause(0.4);
    expect((await half.run([...begin, '--max-hours', '0.0004'])).code).toBe(4);
    const stopped = await half.run(begin);
    expect(stopped.stderr).toContain('there is a campaign toy, which was stopped');
  });

  it('names a misspelt filter before anything about the campaign that is there', async () => {
    const campaign = await createToyCampaign(2);
    expect((await campaign.run(begin)).code).toBe(0);
    for (const [filter, message] of [
      ['modell=toy0', '--filter modell=toy0: there is no key "modell" (expected model)'],
      ['colour=red', '(expected experiment, workload, mode, model'],
      ['model=toy9', '--filter model=toy9: no case has it (expected toy0)'],
      ['mode=prsm', '--filter mode=prsm: no case has it'],
    ] as const) {
      const end = await campaign.run([...begin, '--filter', filter]);
      expect(end.code, filter).toBe(2);
      expect(end.stderr).toContain(message);
      expect(end.stderr).not.toContain('complete');
      expect(end.stderr).not.toContain('--resume');
    }
  });

  it('of a newer version is refused, and listed all the same', async () => {
    const campaign = await createToyCampaign(1);
    expect((await campaign.run(begin)).code).toBe(0);
    writeFileSync(join(campaign.home, 'campaigns', 'toy', 'campaign.json'), '{"schemaVersion": 99}');
    const refused = await campaign.run(goOn);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('schema version 99 is newer than 1');
    const list = await campaign.run(['campaign', 'list']);
    expect(list.code).toBe(0);
    expect(list.stdout).toContain('unreadable');
  });
});

describe('looking at a campaign', () => {
  it('--list and --dry-run start and write nothing', async () => {
    const campaign = await createToyCampaign(3);
    const list = await campaign.run([...begin, '--list', '--filter', 'model=toy1,toy2']);
    expect(list.stdout).toContain(`these are the cases of the file's "cpu" part`);
    expect(list.stdout).toContain('add --system h200');
    expect(list.code, list.stderr).toBe(0);
    expect(list.stdout).toContain('2 cases, 2 to run');
    const dry = await campaign.run([...begin, '--dry-run', '--json']);
    const { cells } = JSON.parse(dry.stdout) as { readonly cells: readonly { readonly plan: object }[] };
    expect(cells).toHaveLength(3);
    expect(cells[0]?.plan).toMatchObject({ case: { model: { name: 'toy0' } } });
    expect(existsSync(join(campaign.home, 'campaigns'))).toBe(false);
    expect(campaign.stack.launches()).toEqual([]);
  });

  it('ends as the run would where nothing of it can be here, and prints what is left out', async () => {
    const { run } = await createToyCampaign(1);
    for (const look of ['--list', '--dry-run']) {
      const end = await run(['campaign', 'run', 'throughput', '--mode', 'prism', look]);
      expect(end.code).toBe(3);
      expect(end.stdout).toContain('needs an NVIDIA GPU');
      expect(end.stderr).toContain('nothing of the campaign can run here');
    }
  });

  it('begins nothing that would not end within --max-hours, and says what is left', async () => {
    const campaign = await createToyCampaign(3);
    campaign.stack.setPause(0.4);
    const end = await campaign.run([...begin, '--max-hours', '0.0004', '--json']);
    expect(end.code).toBe(4);
    const { counts, outOfTime } = resultOf(end);
    expect(counts.left).toBeGreaterThan(0);
    expect(outOfTime).toBe(counts.left);
    const status = await campaign.run(['campaign', 'status', '--json']);
    expect((JSON.parse(status.stdout) as CampaignStatus).state).toBe('stopped');
  });

  it('goes on with nothing where the filter names nothing of the campaign, and says so', async () => {
    const campaign = await createToyCampaign(2);
    expect((await campaign.run([...begin, '--filter', 'model=toy0'])).code).toBe(0);
    for (const [filter, message] of [
      ['model=toy7', '--filter model=toy7: no case has it'],
      // There in the experiment, but not in what the campaign was begun with.
      ['model=toy1', '--filter model=toy1: no case has it'],
      ['mode=prsm', '--filter mode=prsm: no case has it'],
    ] as const) {
      const end = await campaign.run([...goOn, '--filter', filter]);
      expect(end.code, filter).toBe(2);
      expect(end.stderr).toContain(message);
    }
  });

  it('runs what it can, and says 3 where a mode that was asked for by name cannot run here', async () => {
    const campaign = await createToyCampaign(1);
    const modes = ['--mode', 'prism', '--mode', 'zero_offload'];
    const end = await campaign.run([...begin, ...modes, '--json']);
    expect(end.code, end.stderr).toBe(3);
    expect(resultOf(end).counts.done).toBe(1);
    expect(end.stderr).toContain('needs an NVIDIA GPU');
  });

  it('names the experiments that there are', async () => {
    const { run } = await createToyCampaign(1);
    const end = await run(['campaign', 'run', 'throughputs', '--list']);
    expect(end.code).toBe(2);
    expect(end.stderr).toContain('there is no experiment file "throughputs" (expected throughput)');
  });

  it.each([
    [['--filter', 'chip=4'], 'there is no key "chip"'],
    [['--filter', 'model=toy9'], '--filter model=toy9: no case has it'],
    [['--retry', 'gpu_oom'], '--retry gpu_oom: is an answer'],
    [['--max-jobs', '2'], '--max-jobs 2: runs that share machines disturb each other'],
    [['--max-hours', '0'], 'Expected a number of hours above 0'],
    [['--name', 'a/b'], 'names no campaign'],
    [['--resume'], 'there is no campaign toy to go on with'],
  ])('refuses %j', async (flags, message) => {
    const campaign = await createToyCampaign(2);
    const end = await campaign.run([...begin, ...flags]);
    expect(end.code).toBe(2);
    expect(end.stderr).toContain(message);
    expect(existsSync(join(campaign.home, 'campaigns'))).toBe(false);
  });
});
