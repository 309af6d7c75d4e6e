import { expect, it } from 'vitest';
import { runText } from '../../../src/cli/text/runs.ts';
import { listRuns } from '../../../src/workflows/runs/list-runs.ts';
import { loadRun } from '../../../src/workflows/runs/runs.ts';
import { sampleHome } from '../records/sample-home.ts';

it('a trial that a tuning stopped early is listed and shown by a word of its own, a whole one as ok', async () => {
  const { context, store } = sampleHome();
  const whole = store();
  const early = store({ record: { abandoned: { aboveMs: 900 } } });
  const crash = { ...early.outcome, class: 'crash' } as const;
  store({ record: { abandoned: { aboveMs: 900 }, outcome: crash } });
  expect((await listRuns(context)).map(({ state }) => state)).toEqual(['ok', 'stopped_early', 'crash']);
  const outcomes = [whole, early].map(
    async ({ runId }) => /^outcome +\w+/m.exec(runText(await loadRun(context, runId)))?.[0],
  );
  expect((await Promise.all(outcomes)).map((line) => line?.replace(/ +/, ' '))).toEqual([
    'outcome ok',
    'outcome stopped_early',
  ]);
});
