import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { modeNames } from '../../../../src/core/experiment/case.ts';
import { nextTrial } from '../../../../src/core/tune/search/next-trial.ts';
import { candidateKey } from '../../../../src/core/tune/propose/propose.ts';
import type { Candidate, NextTrial, TrialResult, Tuning } from '../../../../src/core/tune/tuning.ts';
import { candidate, trialOf, tuningOf } from '../sample-tuning.ts';

const anyCandidate: fc.Arbitrary<Candidate> = fc
  .record({
    mode: fc.constantFrom(...modeNames),
    ratio: fc.option(
      fc.integer({ min: 1, max: 100 }).map((hundredths) => hundredths / 100),
      { nil: null },
    ),
    microBatch: fc.constantFrom(1, 2, 4, 8),
    activationCheckpointing: fc.boolean(),
    orderMs: fc.double({ min: 50, max: 5000, noNaN: true }),
    isKnown: fc.boolean(),
    gpuGiB: fc.double({ min: 1, max: 133, noNaN: true }),
    hostGiB: fc.double({ min: 1, max: 118, noNaN: true }),
    launchSeconds: fc.double({ min: 5, max: 300, noNaN: true }),
  })
  .map(({ mode, ratio, microBatch, activationCheckpointing, isKnown, ...rest }) =>
    candidate(
      { ...rest, predictedStepMs: isKnown ? rest.orderMs : null },
      { mode, ratio, microBatch, gradientAccumulation: 8 / microBatch, activationCheckpointing },
    ),
  );

const anyResult: fc.Arbitrary<TrialResult> = fc.oneof(
  fc.record({
    kind: fc.constant('measured' as const),
    medianStepMs: fc.double({ min: 10, max: 9000, noNaN: true }),
    lowStepMs: fc.constant(null),
    highStepMs: fc.constant(null),
    tflopsPerGpu: fc.constant(1),
    gpuGiB: fc.option(fc.double({ min: 1, max: 140, noNaN: true }), { nil: null }),
    hostGiB: fc.option(fc.double({ min: 1, max: 125, noNaN: true }), { nil: null }),
    isWhole: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('memory' as const), wall: fc.constantFrom('gpu', 'host', 'pinned', 'shm') }),
  fc.record({ kind: fc.constant('failed' as const), reason: fc.constant('crash') }),
);

describe('a search on a machine that does as it likes', () => {
  it.each(['throughput', 'size'] as const)(
    'by %s ends within its budget, never repeats, and names only what ran whole',
    (objective) => {
      fc.assert(
        fc.property(
          fc.uniqueArray(anyCandidate, { minLength: 1, maxLength: 25, selector: candidateKey }),
          fc.array(fc.record({ result: anyResult, pace: fc.double({ min: 0.3, max: 1, noNaN: true }) }), {
            minLength: 12,
            maxLength: 12,
          }),
          fc.integer({ min: 1, max: 10 }),
          fc.integer({ min: 0, max: 4 }),
          (candidates, results, maxTrials, stored) => {
            const budget = { maxTrials, maxMinutes: 8, memoryMargin: 0.05 };
            let tuning: Tuning = tuningOf(candidates, { objective, budget });
            for (const index of candidates.keys()) {
              if (index >= stored) break;
              const known = trialOf(index, results[index]?.result ?? { kind: 'failed', reason: '' }, {
                isStored: true,
              });
              tuning = { ...tuning, trials: [...tuning.trials, known] };
            }
            const known = tuning.trials.length;
            for (let used = 0; ; used += 1) {
              expect(used).toBeLessThanOrEqual(maxTrials);
              const next = nextTrial(tuning);
              if (next.type === 'done') {
                expectHonestEnd(next, tuning);
                return;
              }
              // Only what another search stopped early may be asked again, and once.
              const before = tuning.trials.filter((trial) => trial.candidate === next.candidate);
              expect(before.filter(({ isStored, result }) => !isStored || !isEarly(result))).toEqual([]);
              const { launchSeconds } = candidates[next.candidate] ?? candidate({});
              const { result, pace } = results[used] ?? { result: { kind: 'failed', reason: '' }, pace: 1 };
              const trial = trialOf(next.candidate, result, { seconds: launchSeconds * pace });
              tuning = {
                ...tuning,
                trials: [...tuning.trials, trial],
                minutes: tuning.minutes + trial.seconds / 60,
              };
              expect(tuning.trials.length).toBe(known + used + 1);
            }
          },
        ),
        { numRuns: 150 },
      );
    },
  );
});

function isEarly(result: TrialResult): boolean {
  return result.kind === 'measured' && !result.isWhole;
}

function expectHonestEnd({ best }: Extract<NextTrial, { type: 'done' }>, { trials }: Tuning): void {
  const whole = trials.filter(({ result }) => result.kind === 'measured' && result.isWhole);
  if (best === null) expect(whole).toEqual([]);
  else expect(whole.map((trial) => trial.candidate)).toContain(best);
}

describe('more trials', () => {
  it('begin with the same ones', () => {
    const searched = (
      candidates: readonly Candidate[],
      results: readonly TrialResult[],
      most: number,
    ): number[] => {
      const budget = { maxTrials: most, maxMinutes: 1e6, memoryMargin: 0.05 };
      let tuning: Tuning = tuningOf(candidates, { budget });
      for (const result of results) {
        const next = nextTrial(tuning);
        if (next.type === 'done') break;
        tuning = { ...tuning, trials: [...tuning.trials, trialOf(next.candidate, result)] };
      }
      return tuning.trials.map((trial) => trial.candidate);
    };
    fc.assert(
      fc.property(
        fc.uniqueArray(anyCandidate, { minLength: 1, maxLength: 15, selector: candidateKey }),
        fc.array(anyResult, { minLength: 8, maxLength: 8 }),
        fc.integer({ min: 1, max: 7 }),
        (candidates, results, most) => {
          const few = searched(candidates, results, most);
          const more = searched(candidates, results, 8);
          expect(few.length).toBeLessThanOrEqual(most);
          expect(more.slice(0, few.length)).toEqual(few);
          if (few.length < most) expect(more).toEqual(few);
        },
      ),
      { numRuns: 60 },
    );
  });
});
