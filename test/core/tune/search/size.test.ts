import { describe, expect, it } from 'vitest';
import { simulateMachine, tuneOn } from '../../../../bench/tune-machine.ts';
import { parameterCount } from '../../../../src/core/model/shape.ts';
import { nextTrial } from '../../../../src/core/tune/search/next-trial.ts';
import type { Candidate, Trial } from '../../../../src/core/tune/tuning.ts';
import { candidate, h200, measured, modelNamed, requestFor, trialOf, tuningOf } from '../sample-tuning.ts';

const sized = (size: string, change: Partial<Candidate> = {}): Candidate =>
  candidate(change, { model: modelNamed(size), microBatch: 1, globalBatch: 1 });

describe('by size', () => {
  const candidates = [
    sized('5B'),
    sized('7B', { hostGiB: 90 }),
    sized('7B', { hostGiB: 60 }),
    sized('10B', { hostGiB: 115 }),
  ];
  const next = (trials: readonly Trial[]): ReturnType<typeof nextTrial> =>
    nextTrial(tuningOf(candidates, { objective: 'size', trials }));

  it('begins with the largest that is predicted to fit', () => {
    expect(next([])).toMatchObject({ type: 'trial', candidate: 3, abandonAboveMs: null });
  });

  it('goes down where that ran out of memory, to the configuration with the most room', () => {
    const failed = trialOf(3, { kind: 'memory', wall: 'host' });
    expect(next([failed])).toMatchObject({ type: 'trial', candidate: 2 });
    const done = next([failed, measured(2, 1000, { hostGiB: 60 })]);
    expect(done).toEqual({ type: 'done', best: 2, why: 'the next larger size does not run' });
  });

  it('goes up where what ran left room', () => {
    expect(next([measured(1, 900, { hostGiB: 90 })])).toMatchObject({
      candidate: 3,
      why: 'what ran left room for it',
    });
    const full = next([measured(1, 900, { hostGiB: 118 })]);
    expect(full).toMatchObject({ type: 'done', best: 1 });
  });

  it('gives a size two launches', () => {
    const trials = [1, 2].map((index) => trialOf(index, { kind: 'failed', reason: 'crash' }));
    const other = [...candidates, candidate({ hostGiB: 2 }, { mode: 'zero_2', model: modelNamed('7B') })];
    const after = nextTrial(
      tuningOf(other, {
        objective: 'size',
        trials: [trialOf(3, { kind: 'memory', wall: 'host' }), ...trials],
      }),
    );
    // zero_offload failed twice as a mode, 7B twice as a size: nothing is left but what is smaller, of another mode.
    expect(after).toMatchObject({ type: 'done', best: null, why: 'no size ran' });
  });

  it('finds an edge of a real table of sizes on machines that need more or less than predicted', () => {
    const models = ['10B', '13B', '15B', '18B'].map(modelNamed);
    const request = requestFor('5B', { objective: 'size', models }, { microBatch: 1, globalBatch: 1 });
    for (const seed of [1, 2]) {
      const machine = simulateMachine(request, h200, seed);
      const { tuning, end } = tuneOn(machine.launch, request, h200);
      expect(tuning.trials.length).toBeLessThanOrEqual(8);
      const best = tuning.candidates[end.best ?? -1];
      expect(best).toBeDefined();
      expect(parameterCount(best?.subject.model ?? modelNamed('5B'), 1024)).toBeGreaterThan(1.2e10);
    }
  });
});
