import { modes } from '../../../src/core/deepspeed/modes/registry.ts';
import type { Case } from '../../../src/core/experiment/case.ts';
import type { OutcomeClass } from '../../../src/core/logs/events.ts';
import { caseTflops, mfu } from '../../../src/core/model/shape.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { summarizeSteps } from '../../../src/core/stats/steps.ts';
import { realRecords } from './scene-inputs.ts';

/** ZeRO-Offload, 2B, one chip. */
export const base = realRecords.find(({ case: subject, outcome, stack }) => {
  return (
    subject?.mode === 'zero_offload' &&
    outcome.class === 'ok' &&
    stack?.hash.startsWith('44cb') &&
    subject.model.name === '2B' &&
    subject.chips === 1
  );
})!;

export interface Launch {
  readonly subject?: Partial<Case>;
  /** Of each of its steps; absent: it ended before the first. */
  readonly stepMs?: number;
  readonly outcome?: OutcomeClass;
  readonly change?: Partial<RunRecord>;
}

/** Launches of variants of one real run, a minute after another. */
export function launches(...given: readonly Launch[]): RunRecord[] {
  return given.map(({ subject = {}, stepMs, outcome = 'ok', change = {} }, index) => {
    const original = base.case!;
    const mode = subject.mode ?? original.mode;
    const testCase: Case = { ...original, ratio: modes[mode].defaultRatio, ...subject };
    const steps = Array.from({ length: 20 }, (_, step) => (stepMs ?? 0) * (1 + 0.001 * (step % 3)));
    const statistics = stepMs === undefined ? null : summarizeSteps(steps);
    const speed = statistics === null ? null : caseTflops(testCase, statistics.medianMs).modelTflops;
    const minute = String(index).padStart(2, '0');
    return {
      ...base,
      runId: `20261201T00${minute}00Z-launch-${String(index).padStart(4, '0')}`,
      caseId: `case-${testCase.microBatch}-${testCase.activationCheckpointing}`,
      startedUtc: `2026-12-01T00:${minute}:00.000Z`,
      case: testCase,
      outcome: { class: outcome, reason: outcome, evidence: null, rank: null, hint: null },
      statistics,
      throughput: {
        ...base.throughput,
        modelTflopsPerGpu: speed,
        mfu: speed === null ? null : mfu(speed, 989),
      },
      ...change,
    };
  });
}
