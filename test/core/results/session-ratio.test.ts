import { expect, test } from 'vitest';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { sessionRatio } from '../../../src/core/results/session-ratio.ts';
import { samplePlan } from '../sample-plan.ts';
import { goodLog, recordOf } from '../sample-record.ts';

/** A launch of `ms` a step that began `minute` minutes into an hour. */
function launch(ms: number, minute: number, experiment: string): RunRecord {
  const steps = Array.from({ length: 30 }, (_, index) => ms * (1 + 0.002 * ((index * 7) % 5)));
  const record = recordOf(goodLog(steps), { plan: samplePlan() });
  const at = (second: number): string => new Date(Date.UTC(2026, 10, 23, 12, minute, second)).toISOString();
  return { ...record, experiment, startedUtc: at(0), endedUtc: at(30) };
}

test('launches of a campaign are paired with its own, though another one began sooner after', () => {
  const baseline = [
    launch(200, 0, 'in turns'),
    launch(202, 4, 'in turns'),
    launch(150, 9, 'another'), // one minute from the last candidate
  ];
  const candidate = [launch(100, 2, 'in turns'), launch(100, 8, 'in turns')];
  const found = sessionRatio(baseline, candidate);
  expect(found?.baseline.map(({ experiment }) => experiment)).toEqual(['in turns', 'in turns']);
  expect(found?.ratio.ratio).toBeCloseTo(2.01, 2);
});

test('of an experiment that the others have no launch of, the nearest in time', () => {
  const baseline = [launch(200, 0, 'a'), launch(150, 9, 'b')];
  const found = sessionRatio(baseline, [launch(100, 8, 'c')]);
  expect(found?.baseline.map(({ experiment }) => experiment)).toEqual(['b']);
  expect(found?.ratio.ratio).toBeCloseTo(1.5, 2);
});
