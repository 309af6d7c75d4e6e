import { describe, expect, it } from 'vitest';
import { abandonAboveMs } from '../../../../src/core/tune/judge/abandon.ts';
import { bestOf } from '../../../../src/core/tune/judge/best.ts';
import { measuredOf } from '../../../../src/core/tune/measured.ts';
import { nextTrial } from '../../../../src/core/tune/search/next-trial.ts';
import type { Candidate, NextTrial, Trial } from '../../../../src/core/tune/tuning.ts';
import { candidate, measured, trialOf, tuningOf } from '../sample-tuning.ts';

const settings = (value: number): Partial<Candidate['subject']> => ({
  deepspeedOverrides: { 'zero_optimization.sub_group_size': value },
});

function launched(next: NextTrial): number {
  if (next.type === 'done') throw new Error(`done: ${next.why}`);
  return next.candidate;
}

describe('nextTrial', () => {
  const prism = candidate({ orderMs: 500 }, { mode: 'prism_overlap', ratio: 0.5 });
  const offload = candidate({ orderMs: 600 }, { mode: 'zero_offload' });
  const infinity = candidate({ orderMs: 2000 }, { mode: 'zero_infinity' });

  it('begins with what is predicted best, and holds nothing against it', () => {
    const next = nextTrial(tuningOf([offload, prism, infinity]));
    expect(next).toEqual({ type: 'trial', candidate: 1, why: 'predicted best', abandonAboveMs: null });
  });

  it('begins with what offloads nothing where that may be as good, and keeps to it where it is', () => {
    const onGpu = candidate({ orderMs: 560 }, { mode: 'zero_2' });
    const next = nextTrial(tuningOf([prism, onGpu]));
    expect(next).toMatchObject({
      candidate: 1,
      why: 'offloads nothing, and may be as good as the predicted best',
    });
    const slow = candidate({ orderMs: 900 }, { mode: 'zero_2' });
    expect(launched(nextTrial(tuningOf([prism, slow])))).toBe(0);
    const ended = (stepMs: number): NextTrial =>
      nextTrial(tuningOf([prism, onGpu], { trials: [measured(0, 500), measured(1, stepMs)], minutes: 8 }));
    expect([ended(509), ended(515)]).toMatchObject([{ best: 1 }, { best: 0 }]);
  });

  it('tries a mode that could still win, and not one that could not by any honest bound', () => {
    const after = tuningOf([prism, offload, infinity], { trials: [measured(0, 560)] });
    expect(nextTrial(after)).toMatchObject({ type: 'trial', candidate: 1 });
    const both = { ...after, trials: [...after.trials, measured(1, 700)] };
    expect(nextTrial(both)).toMatchObject({
      type: 'done',
      best: 0,
      why: 'no other candidate can be 2% faster',
    });
  });

  it('tries another ratio where a prediction fails at one: it may be steeper than predicted', () => {
    const at = (ratio: number, orderMs: number): Candidate =>
      candidate({ orderMs }, { mode: 'prism_overlap', ratio });
    const candidates = [at(0.05, 256), at(0.53, 328), at(0.9, 482), candidate({ orderMs: 1100 })];
    const far = nextTrial(tuningOf(candidates, { trials: [measured(0, 620)] }));
    expect(launched(far)).toBe(1);
    // As predicted, nothing speaks for those that are slower.
    const straight = nextTrial(tuningOf(candidates, { trials: [measured(0, 256), measured(1, 330)] }));
    expect(straight).toMatchObject({ type: 'done', best: 0 });
  });

  it('corrects the other candidates of a mode by what its trials took', () => {
    const other = candidate({ orderMs: 520 }, { mode: 'prism_overlap', ratio: 0.6 });
    // A tenth faster than predicted: its like is too. Half as fast: its like is no better, so that the other mode is tried.
    const fast = tuningOf([prism, other, candidate({ orderMs: 900 })], { trials: [measured(0, 900)] });
    expect(launched(nextTrial(fast))).toBe(2);
  });

  it('launches again what another search stopped early, where what it was held against is none to choose here', () => {
    const early = { ...measured(0, 350, { isWhole: false }), isStored: true };
    const alone = tuningOf([prism, infinity], { trials: [early] });
    expect(launched(nextTrial(alone))).toBe(0);
    const slower = { ...alone, trials: [early, measured(1, 2000)] };
    expect(launched(nextTrial(slower))).toBe(0);
    const againEarly = measured(0, 2200, { isWhole: false });
    expect(nextTrial({ ...slower, trials: [...slower.trials, againEarly] })).toMatchObject({ best: 1 });
    const faster = tuningOf([prism, offload], { trials: [early, measured(1, 300)] });
    expect(nextTrial(faster)).toMatchObject({ type: 'done', best: 1 });
    const beyond = measured(1, 300, { gpuGiB: 139 });
    expect(launched(nextTrial(tuningOf([prism, offload], { trials: [early, beyond] })))).toBe(0);
  });

  it('ends at the budget, and counts stored trials as known and not as its own', () => {
    const candidates = [prism, offload, infinity];
    const budget = { maxTrials: 1, maxMinutes: 8, memoryMargin: 0.05 };
    expect(nextTrial(tuningOf(candidates, { budget, trials: [measured(2, 2000)] })).type).toBe('done');
    const stored = [{ ...measured(2, 2000), isStored: true }];
    expect(launched(nextTrial(tuningOf(candidates, { budget, trials: stored })))).toBe(0);
    const spent = nextTrial(tuningOf(candidates, { minutes: 8 }));
    expect(spent).toMatchObject({ type: 'done', best: null, why: '8 minutes are spent' });
  });

  it('does not begin what cannot finish in the minutes that are left, by how long launches took', () => {
    const slow = candidate({ orderMs: 400, launchSeconds: 100 }, { mode: 'zero_2' });
    const minutes = 8 - 90 / 60;
    expect(launched(nextTrial(tuningOf([slow, prism], { minutes })))).toBe(1);
    // Launches take half of what was predicted: 50 s fit.
    const trials = [{ ...measured(1, 900), seconds: 15 }];
    expect(launched(nextTrial(tuningOf([slow, prism], { minutes, trials })))).toBe(0);
    const none = nextTrial(tuningOf([slow], { minutes }));
    expect(none.why).toMatch(/that are left: the shortest is expected to take 1\.7 \(--max-minutes\)$/);
  });

  it('learns from running out of memory: what needs as much is out, and its own mode by the margin more', () => {
    const big = candidate({ orderMs: 100, gpuGiB: 120 }, { mode: 'zero_2' });
    const asBig = candidate({ orderMs: 110, gpuGiB: 121 }, { mode: 'zero_offload' });
    const near = candidate({ orderMs: 120, gpuGiB: 118 }, { mode: 'zero_2', ...settings(1) });
    const smaller = candidate({ orderMs: 130, gpuGiB: 110 }, { mode: 'zero_2', ...settings(2) });
    const otherMode = candidate({ orderMs: 180, gpuGiB: 119 }, { mode: 'ddp' });
    const trials = [trialOf(0, { kind: 'memory', wall: 'gpu' })];
    const after = tuningOf([big, asBig, near, smaller, otherMode], { trials });
    expect(launched(nextTrial(after))).toBe(3);
    const next = { ...after, trials: [...trials, measured(3, 170)] };
    expect(launched(nextTrial(next))).toBe(4);
    // Something that needs more of it ran: then it was not the size.
    const refuted = { ...after, trials: [...trials, { ...measured(1, 400), isStored: true }] };
    expect(launched(nextTrial(refuted))).not.toBe(0);
  });

  it('takes what trials of a mode used of a memory for what its other candidates will', () => {
    const first = candidate({ orderMs: 300, hostGiB: 80 }, { mode: 'prism_overlap', ratio: 0.7 });
    const larger = candidate(
      { orderMs: 310, hostGiB: 110 },
      { mode: 'prism_overlap', ratio: 1, ...settings(1) },
    );
    const trials = [measured(0, 500, { hostGiB: 90 })];
    expect(nextTrial(tuningOf([first, larger], { trials })).type).toBe('done');
    const asPredicted = [measured(0, 500, { hostGiB: 80 })];
    expect(launched(nextTrial(tuningOf([first, larger], { trials: asPredicted })))).toBe(1);
  });

  it('rules a mode out after two failures, with the reason', () => {
    const fails = (index: number): Trial => trialOf(index, { kind: 'failed', reason: 'crash: no such op' });
    const all = [1, 2, 3].map((value) =>
      candidate({ orderMs: 100 + value }, { mode: 'zero_2', ...settings(value) }),
    );
    const candidates = [...all, offload];
    expect(launched(nextTrial(tuningOf(candidates, { trials: [fails(0)] })))).toBe(1);
    expect(launched(nextTrial(tuningOf(candidates, { trials: [fails(0), fails(1)] })))).toBe(3);
  });

  it('tries what only saves memory where the fuller one cannot run', () => {
    const whole = candidate({ orderMs: 300, gpuGiB: 120 }, { mode: 'ddp' });
    const lean = candidate(
      { orderMs: 300, gpuGiB: 60 },
      { mode: 'ddp', microBatch: 1, gradientAccumulation: 8 },
    );
    expect(nextTrial(tuningOf([lean, whole], { trials: [measured(1, 400)] })).type).toBe('done');
    const trials = [trialOf(1, { kind: 'memory', wall: 'gpu' })];
    expect(launched(nextTrial(tuningOf([lean, whole], { trials })))).toBe(0);
  });

  it('looks beside the best: half its micro-batch', () => {
    const whole = candidate({ orderMs: 300 }, { mode: 'ddp' });
    const half = candidate({ orderMs: 300 }, { mode: 'ddp', microBatch: 4, gradientAccumulation: 2 });
    const next = nextTrial(tuningOf([whole, half], { trials: [measured(0, 330)] }));
    expect(next).toMatchObject({ type: 'trial', candidate: 1 });
    expect(next.why).toMatch(/^micro-batch 4 and not 8: may take/);
  });

  it('chooses what leaves the margin, and something that does not only where nothing else ran', () => {
    const tight = measured(0, 300, { gpuGiB: 138 });
    const done = (trials: Trial[]): NextTrial =>
      nextTrial(tuningOf([prism, offload], { trials, minutes: 9 }));
    expect(done([tight, measured(1, 500)])).toMatchObject({ best: 1 });
    expect(done([tight])).toMatchObject({ best: 0 });
    // It is no aim either: the slower one that leaves the margin is tried.
    expect(launched(nextTrial(tuningOf([prism, infinity], { trials: [tight] })))).toBe(1);
  });

  it('launches one of the best two once more where their intervals touch, and judges by all launches', () => {
    const wide = (index: number, stepMs: number): Trial =>
      measured(index, stepMs, { lowStepMs: stepMs * 0.9, highStepMs: stepMs * 1.1 });
    const two = tuningOf([prism, offload], { trials: [wide(0, 500), wide(1, 530)] });
    const next = nextTrial(two);
    expect(next).toMatchObject({ type: 'trial', candidate: 1, abandonAboveMs: null });
    expect(next.why).toBe('once more: the best two are not told apart');
    const again = { ...two, trials: [...two.trials, wide(1, 460)] };
    // 494 ms by both of its launches: now it leads, and the other one is asked again.
    expect(bestOf(again)).toMatchObject({ index: 1 });
    expect(bestOf(again)?.result.medianStepMs).toBeCloseTo(Math.sqrt(530 * 460));
    expect(launched(nextTrial(again))).toBe(0);
    const both = { ...again, trials: [...again.trials, wide(0, 520)] };
    expect(nextTrial(both)).toMatchObject({ type: 'done', best: 1 });
    // Nothing is repeated without the time for it, nor where the two are told apart or differ by less than launches do.
    expect(nextTrial({ ...two, minutes: 7.9 })).toMatchObject({ type: 'done', best: 0 });
    expect(nextTrial({ ...two, trials: [measured(0, 500), measured(1, 560)] }).type).toBe('done');
    const close = (index: number, stepMs: number): Trial =>
      measured(index, stepMs, { lowStepMs: stepMs * 0.999, highStepMs: stepMs * 1.001 });
    expect(nextTrial({ ...two, trials: [close(0, 500), close(1, 500)] }).type).toBe('done');
  });

  it('learns nothing from a trial that its time cut, and does not launch it again at once', () => {
    const cut = [0, 1].map((index) => trialOf(index, { kind: 'unfinished', reason: 'time' }));
    const all = [1, 2, 3].map((value) =>
      candidate({ orderMs: 100 + value }, { mode: 'zero_2', ...settings(value) }),
    );
    expect(launched(nextTrial(tuningOf([...all, offload], { trials: cut })))).toBe(2);
  });

  it('prefers, of two that offload nothing, the one that plain DeepSpeed runs', () => {
    const zero2 = candidate({ orderMs: 300 }, { mode: 'zero_2' });
    const ratio0 = candidate({ orderMs: 300 }, { mode: 'prism_overlap', ratio: 0 });
    const done = (zero2Ms: number): NextTrial =>
      nextTrial(tuningOf([zero2, ratio0], { trials: [measured(0, zero2Ms), measured(1, 300)], minutes: 9 }));
    expect([done(304), done(320)]).toMatchObject([{ best: 0 }, { best: 1 }]);
  });

  it('does not choose a run that was stopped early', () => {
    const trials = [measured(0, 500), measured(1, 300, { isWhole: false })];
    expect(nextTrial(tuningOf([prism, offload], { trials, minutes: 9 }))).toMatchObject({ best: 0 });
  });
});

describe('abandonAboveMs', () => {
  it('leaves room for the noise of the best and of launches', () => {
    const best = (low: number | null, high: number | null): number | null => {
      const trials = [measured(0, 1000, { lowStepMs: low, highStepMs: high })];
      return abandonAboveMs(measuredOf(tuningOf([candidate({})], { trials }))[0] ?? null);
    };
    expect(abandonAboveMs(null)).toBeNull();
    expect(best(null, null)).toBe(1050);
    expect(best(995, 1005)).toBe(1050);
    expect(best(900, 1100)).toBe(1300);
  });
});
