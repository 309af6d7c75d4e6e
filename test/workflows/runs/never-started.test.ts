import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { thisPlace } from '../../../src/adapters/place.ts';
import { appendEvent, createRunFolder, writePlan, type RunFolder } from '../../../src/adapters/run-store.ts';
import { runText } from '../../../src/cli/text/runs.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import { planCommand } from '../../../src/core/plan/plan-command.ts';
import type { Context } from '../../../src/workflows/context.ts';
import { attachRun } from '../../../src/workflows/runs/attach.ts';
import { listRuns } from '../../../src/workflows/runs/list-runs.ts';
import { loadRun } from '../../../src/workflows/runs/runs.ts';
import { sampleSystem } from '../../core/sample-plan.ts';

const home = mkdtempSync(join(tmpdir(), 'never-started-'));
afterAll(() => {
  rmSync(home, { recursive: true });
});

const never = new AbortController().signal;
const context: Context = {
  ...{ env: process.env, cwd: home, home, packageRoot: home, now: Date.now },
  ...{ emit: () => undefined, signal: never, force: never },
};
const gone = { toolPid: 1, toolStartTicks: '-1', utc: '2026-01-02T03:04:05Z' };
const slurm = { scheduler: 'slurm', layout: { nodes: 1, ranksPerNode: 1 }, options: {}, setup: [], bindCores: false, allocation: null } as const; // prettier-ignore

/** A folder as a tool leaves it that is killed before it starts anything. */
async function prepared(change: Partial<RunPlan> | null): Promise<RunFolder> {
  const system = sampleSystem({ accelerator: 'cpu', hostGiB: null });
  const plan = planCommand({ command: ['true'], system, chips: 1, cwd: home, limits: {} });
  const folder = await createRunFolder(home, plan.caseId, Date.now());
  appendEvent(folder, { type: 'starting', ...gone, place: thisPlace() });
  if (change !== null) await writePlan(folder, { ...plan, ...change }, { tool: null });
  return folder;
}

const listed = async ({ runId }: RunFolder) =>
  (await listRuns(context)).find((listing) => listing.runId === runId);

it.each([
  ['here', {}],
  ['by Slurm', { schedule: slurm }],
  ['before it had a plan', null],
] as const)(
  'a run that nobody started, %s, says so, and gets no record of a log that is not there',
  async (_, change) => {
    const folder = await prepared(change);
    const listing = await listed(folder);
    expect(listing?.state).toBe('not_started');
    expect(listing?.title).toContain('its superoffload was killed before it started it');
    const shown = runText(await loadRun(context, folder.runId));
    expect(shown).toContain(`to remove it: superoffload runs rm ${folder.runId}`);
    expect(shown.includes('runs replay')).toBe(change !== null);
    expect(() => readFileSync(join(folder.path, 'record.json'))).toThrow('ENOENT');
    expect(await attachRun(context, folder.runId)).toBeNull();
  },
);

it('one that left a word in its log was started, and gets its record', async () => {
  const folder = await prepared({});
  writeFileSync(join(folder.path, 'output.log'), 'hello\n');
  expect((await listed(folder))?.state).toBe('incomplete');
});

it('one that was on its way to Slurm may be there', async () => {
  const folder = await prepared({ schedule: slurm });
  appendEvent(folder, { type: 'submitting', utc: gone.utc, jobName: folder.runId });
  expect((await listed(folder))?.state).toBe('detached');
});
