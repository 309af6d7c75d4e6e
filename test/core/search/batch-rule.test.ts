import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Case } from '../../../src/core/experiment/case.ts';
import {
  nextBatchStep,
  type BatchAttempt,
  type BatchSearch,
  type BatchStep,
} from '../../../src/core/search/batch-rule.ts';
import { leanestBatch, microBatchesOf, withMicroBatch } from '../../../src/core/search/batch-variants.ts';
import type { Verdict } from '../../../src/core/search/frontier.ts';
import { sampleCase } from '../sample-case.ts';

/** 16 sequences a rank at once. */
const asked = sampleCase({ microBatch: 16, globalBatch: 16, gradientAccumulation: 1 });

/** GPU memory as a batch needs it: weights, and activations that recomputation makes a tenth of. */
const gpuOf = ({ microBatch, activationCheckpointing }: Case): number =>
  20 + microBatch * (activationCheckpointing ? 1 : 10);
const needsOf = (subject: Case): { gpuGiB: number; hostGiB: number } => ({
  gpuGiB: gpuOf(subject),
  hostGiB: 50,
});

interface Outcome {
  readonly launched: string[];
  readonly end: Extract<BatchStep, { type: 'done' }>;
}

/** Runs the rule on a machine: what it says of a case, and how fast a case is. */
function follow(
  verdict: (subject: Case) => Verdict,
  tflopsOf: (subject: Case) => number,
  search: Partial<BatchSearch> = {},
): Outcome {
  const attempts: BatchAttempt[] = [];
  for (;;) {
    const step = nextBatchStep({
      asked,
      needsOf,
      capacity: { gpuGiB: 100, hostGiB: 100 },
      ...search,
      attempts,
    });
    if (step.type === 'done') return { launched: attempts.map(({ subject }) => nameOf(subject)), end: step };
    expect(attempts.length).toBeLessThan(20);
    const result = verdict(step.subject);
    attempts.push({
      subject: step.subject,
      verdict: result,
      modelTflops: result.kind === 'ran' ? tflopsOf(step.subject) : null,
    });
  }
}

const nameOf = ({ microBatch, gradientAccumulation, activationCheckpointing }: Case): string =>
  `${microBatch}x${gradientAccumulation}${activationCheckpointing ? ' recompute' : ''}`;
const holds =
  (gpuGiB: number) =>
  (subject: Case): Verdict =>
    gpuOf(subject) <= gpuGiB ? { kind: 'ran' } : { kind: 'memory', wall: 'gpu' };
/** Larger micro-batches are faster, recomputation costs a third. */
const usual = ({ microBatch, activationCheckpointing }: Case): number =>
  (100 + microBatch) * (activationCheckpointing ? 0.75 : 1);

describe("the paper's rule for the batch", () => {
  it('is one launch where the whole batch fits', () => {
    const { launched, end } = follow(holds(1000), usual);
    expect(launched).toEqual(['16x1']);
    expect(end).toMatchObject({ chosen: asked, kept: [asked], stopped: null });
  });

  it('tries both ways where it does not, and keeps both: the faster one counts', () => {
    const slowSteps = follow(holds(65), ({ microBatch }) => microBatch);
    expect(slowSteps.end.kept.map(nameOf)).toEqual(['16x1 recompute', '4x4']);
    const fastSteps = follow(holds(65), usual);
    expect(fastSteps.end.kept.map(nameOf)).toEqual(['4x4', '16x1 recompute']);
    expect(fastSteps.end.chosen).toEqual(fastSteps.end.kept[0]);
  });

  it('has the same global batch in every launch', () => {
    const { launched } = follow(holds(30), usual);
    for (const name of launched) {
      const [micro = 0, accumulation = 0] = name.split(' ')[0]?.split('x').map(Number) ?? [];
      expect(micro * accumulation).toBe(16);
    }
  });

  it('ends at once where the host is full: no batch changes that', () => {
    const { launched, end } = follow(() => ({ kind: 'memory', wall: 'pinned' }), usual);
    expect(launched).toEqual(['16x1']);
    expect(end).toMatchObject({ chosen: null, kept: [], stopped: null });
  });

  it('ends with the reason where a launch crashes, and keeps what ran before', () => {
    const { end } = follow(
      (subject) =>
        subject.activationCheckpointing
          ? { kind: 'unproven', reason: 'crash: it broke' }
          : holds(65)(subject),
      usual,
    );
    expect(end.stopped).toBe('crash: it broke');
    expect(end.kept.map(nameOf)).toEqual(['4x4']);
  });

  it('looks for recomputed micro-batches alone where recomputation was asked for', () => {
    const { launched, end } = follow(holds(25), usual, {
      asked: { ...asked, activationCheckpointing: true },
    });
    expect(launched.every((name) => name.endsWith('recompute'))).toBe(true);
    expect(end.kept.map(nameOf)).toEqual(['4x4 recompute']);
  });

  it('finds the largest micro-batch of either way on every machine, and never more launches than it must', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 15, max: 200 }),
        fc.integer({ min: 15, max: 200 }),
        (gpuGiB, believed) => {
          const { launched, end } = follow(holds(gpuGiB), usual, {
            capacity: { gpuGiB: believed, hostGiB: 100 },
          });
          const largest = (recompute: boolean): string[] =>
            microBatchesOf(asked)
              .map((size) => withMicroBatch(asked, size, recompute))
              .filter((subject) => gpuOf(subject) <= gpuGiB)
              .slice(-1)
              .map(nameOf);
          const whole = largest(false)[0] === '16x1';
          const expected = whole ? ['16x1'] : [...largest(false), ...largest(true)];
          expect(new Set(end.kept.map(nameOf))).toEqual(new Set(expected));
          expect(new Set(launched).size).toBe(launched.length);
          // One, and for each way a search over five micro-batches of which one may be known.
          expect(launched.length).toBeLessThanOrEqual(whole ? 1 : 1 + 2 * (Math.ceil(Math.log2(5)) + 1));
        },
      ),
    );
  });

  it('the leanest of its cases needs no more than any other', () => {
    for (const recompute of [false, true]) {
      for (const size of microBatchesOf(asked)) {
        expect(gpuOf(leanestBatch(asked))).toBeLessThanOrEqual(gpuOf(withMicroBatch(asked, size, recompute)));
      }
    }
  });
});
