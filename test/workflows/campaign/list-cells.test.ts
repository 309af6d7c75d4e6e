import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { requestOf } from '../../../src/cli/flags/case.ts';
import { listCells, type ListedCell } from '../../../src/workflows/campaign/list-cells.ts';
import { planCampaign } from '../../../src/workflows/campaign/plan-campaign.ts';
import { readRules, type CampaignRequest } from '../../../src/workflows/campaign/request.ts';
import { context, cwd, installed, nvidiaSmi } from '../throughput/plan-context.ts';

const request = (): CampaignRequest => ({
  ...requestOf({
    system: 'local',
    stack: 'pip',
    mode: ['zero_offload'],
    model: ['2B'],
    dryRun: true,
  } as never),
  ...{ name: 'mine', experiment: 'throughput', options: {}, filter: ['chips=1'], only: [] },
  ...{ resume: false, acceptChanges: false, reuse: true, repeat: 3, retry: [], maxRetries: 0 },
  ...{ maxJobs: null, withinMs: null, array: false, allocation: false },
});

async function listed(): Promise<ListedCell> {
  const rules = readRules(request());
  const planned = await planCampaign(context(), request(), rules);
  const [cell, ...others] = await listCells(context(), request(), rules, planned);
  expect(others).toEqual([]);
  return cell!;
}

describe('a listed cell', () => {
  it('lacks the launches that it had not yet, in this campaign', async () => {
    nvidiaSmi();
    installed('cuda');
    const { cell, lacking } = await listed();
    expect(lacking).toBe(3);
    const folder = join(cwd, 'home', 'campaigns', 'mine');
    mkdirSync(folder, { recursive: true });
    const result = {
      type: 'result',
      utc: '2026-01-02T03:00:00.000Z',
      key: cell.key,
      runId: 'a',
      durationMs: 1,
    };
    for (const outcome of ['ok', 'cancelled'])
      appendFileSync(
        join(folder, 'journal.ndjson'),
        `${JSON.stringify({ ...result, runId: outcome, outcome })}\n`,
      );
    expect(await listed()).toMatchObject({ state: 'left', reused: [], lacking: 2 });
  });
});
