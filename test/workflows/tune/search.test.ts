import { expect, it, vi } from 'vitest';
import { candidateKey } from '../../../src/core/tune/propose/propose.ts';
import { nextTrial } from '../../../src/core/tune/search/next-trial.ts';
import { startTuning, withKnownTrials } from '../../../src/core/tune/search/search-state.ts';
import type { Candidate } from '../../../src/core/tune/tuning.ts';
import type { TrialEvent } from '../../../src/adapters/tune-journal.ts';
import type { Context } from '../../../src/workflows/context.ts';
import type { RunTrial } from '../../../src/workflows/tune/known-trials.ts';
import type { TunePlan } from '../../../src/workflows/tune/plan-tune.ts';
import type { SizePlan } from '../../../src/workflows/tune/size-plans.ts';
import { h200, measured, requestFor } from '../../core/tune/sample-tuning.ts';

/** What runs there are of a candidate, by its key: a real store would need a GPU's runs. */
const store = new Map<string, RunTrial>();
vi.mock('../../../src/workflows/tune/known-trials.ts', () => ({
  storedTrials: (_context: unknown, candidates: Candidate[], _plan: unknown, seen: Set<string>) =>
    Promise.resolve(
      candidates.flatMap((one) => store.get(candidateKey(one)) ?? []).filter(({ runId }) => !seen.has(runId)),
    ),
  ownTrial: (_context: unknown, { key }: TrialEvent) =>
    Promise.resolve({ ...store.get(key), isStored: false }),
}));
const { Search } = await import('../../../src/workflows/tune/search.ts');

const request = requestFor('7B', { modes: ['prism_overlap'] });
const { tuning } = startTuning(request, h200);

function runOf(candidate: Candidate, stepMs: number, runId: string): RunTrial {
  const { gpuGiB, hostGiB } = candidate;
  // It took less GPU memory than predicted: more of its mode fits.
  const trial = measured(0, stepMs, { gpuGiB: gpuGiB * 0.87, hostGiB });
  return { ...trial, key: candidateKey(candidate), runId, record: {}, isStored: true } as unknown as RunTrial;
}

/** Two runs, the second of what is a candidate by the first alone. */
function twoRuns(): string[] {
  const next = nextTrial(tuning);
  const first = tuning.candidates[next.type === 'trial' ? next.candidate : -1]!;
  const run = runOf(first, first.orderMs, 'first');
  const after = withKnownTrials(tuning, [run], { request, system: h200 });
  const [second] = after.candidates.slice(tuning.candidates.length).sort((a, b) => a.orderMs - b.orderMs) as [
    Candidate,
  ];
  store.set(candidateKey(first), run);
  store.set(candidateKey(second), runOf(second, first.orderMs * 0.8, 'second'));
  return [first, second].map(candidateKey);
}

function search(): InstanceType<typeof Search> {
  const plan = { planning: { system: h200 }, command: { fresh: false }, planOf: () => ({}) };
  return new Search({} as Context, plan as unknown as TunePlan, { tuning, request } as unknown as SizePlan);
}

it('knows stored runs of what stored runs have made a candidate', async () => {
  twoRuns();
  const one = search();
  expect(await one.begin([])).toEqual({ own: 0, stored: 2 });
  expect(one.trials.map(({ runId }) => runId)).toEqual(['first', 'second']);
});

it('goes on with each of its own trials once, though they are stored too', async () => {
  const keys = twoRuns();
  const one = search();
  const own = keys.map((key, index) => ({ key, runId: ['first', 'second'][index] }) as TrialEvent);
  expect(await one.begin(own)).toEqual({ own: 2, stored: 0 });
  expect(one.trials.map(({ runId, isStored }) => [runId, isStored])).toEqual([
    ['first', false],
    ['second', false],
  ]);
});
