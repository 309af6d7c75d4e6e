import { describe, expect, it } from 'vitest';
import { bestOf } from '../../../../src/core/tune/judge/best.ts';
import { explain } from '../../../../src/core/tune/explain/explain.ts';
import { verdicts } from '../../../../src/core/tune/explain/words.ts';
import { nextTrial } from '../../../../src/core/tune/search/next-trial.ts';
import { toRepeat } from '../../../../src/core/tune/search/repeat.ts';
import { candidate, measured, modelNamed, tuningOf } from '../sample-tuning.ts';

describe('what ran over the margin of memory', () => {
  const full = candidate({ orderMs: 400, gpuGiB: 125 }, { mode: 'ddp' });
  const leaner = candidate({ orderMs: 520, gpuGiB: 70 }, { mode: 'ddp', activationCheckpointing: true });
  const slow = candidate({ orderMs: 2000, gpuGiB: 40 }, { mode: 'zero_offload' });
  const over = measured(0, 400, { gpuGiB: 137 });

  it('does not stand for the leaner ways of its mode: it cannot be chosen', () => {
    const trials = [over, measured(2, 2000, { gpuGiB: 40 })];
    expect(nextTrial(tuningOf([full, leaner, slow], { trials }))).toMatchObject({
      type: 'trial',
      candidate: 1,
    });
    expect(nextTrial(tuningOf([full, leaner], { trials: [over] }))).toMatchObject({
      type: 'trial',
      candidate: 1,
    });
  });

  it('is the reason that is given for it alone, and not for all that is faster than the choice', () => {
    const offload = candidate({ orderMs: 430 }, { mode: 'prism_overlap', ratio: 0.9 });
    const onGpu = candidate({ orderMs: 434 }, { mode: 'zero_2' });
    const narrow = (ms: number): { lowStepMs: number; highStepMs: number } => ({
      lowStepMs: ms - 0.5,
      highStepMs: ms + 0.5,
    });
    const textOf = (gpuGiB: number, isWhole = true): string | undefined => {
      const trials = [measured(0, 430, { ...narrow(430), gpuGiB, isWhole }), measured(1, 434, narrow(434))];
      const tuning = tuningOf([offload, onGpu], { trials });
      expect(bestOf(tuning)?.index).toBe(1);
      const found = explain(tuning, 1, { rejected: [], accelerator: 'cuda', partsOf: () => null });
      return verdicts(found).find(({ mode }) => mode === 'prism_overlap')?.text;
    };
    expect(textOf(50)).toMatch(/: faster by less than 2%, for which what offloads nothing is not given up$/);
    expect(textOf(137)).toMatch(/: faster, but it does not leave the margin of memory$/);
    expect(textOf(50, false)).toMatch(/, stopped early: faster as far as it ran$/);
  });
});

describe('once more', () => {
  it('is launched what the best is not told apart from, though another one lies between them', () => {
    const three = [1, 2, 3].map((index) =>
      candidate({ orderMs: 560 + index }, { mode: 'prism_overlap', ratio: 1 - index / 10 }),
    );
    const trials = [
      measured(0, 560, { lowStepMs: 559, highStepMs: 561 }),
      measured(1, 572, { lowStepMs: 571, highStepMs: 573 }),
      measured(2, 575, { lowStepMs: 530, highStepMs: 620 }),
    ];
    const tuning = tuningOf(three, { trials });
    expect(toRepeat(tuning, bestOf(tuning)!)?.index).toBe(2);
    const apart = tuningOf(three, { trials: trials.slice(0, 2) });
    expect(toRepeat(apart, bestOf(apart)!)).toBeNull();
  });
});

describe('the largest size', () => {
  it('is not called the largest that fits where a larger one lacks nothing but time', () => {
    const small = candidate({}, { mode: 'zero_offload', model: modelNamed('2B') });
    const alike = candidate({}, { mode: 'zero_2', model: modelNamed('2B') });
    const large = candidate({ launchSeconds: 300 }, { mode: 'zero_offload', model: modelNamed('5B') });
    const search = { objective: 'size', minutes: 5 } as const;
    expect(nextTrial(tuningOf([small, alike, large], search)).why).toBe(
      'the largest that is predicted to fit and to finish in time, where it leaves the most room',
    );
    const after = tuningOf([small, alike, large], { ...search, trials: [measured(0, 500)] });
    expect(nextTrial(after)).toMatchObject({
      type: 'done',
      why: 'a launch of a larger size would not have finished in the minutes that were left (--max-minutes)',
    });
  });
});
