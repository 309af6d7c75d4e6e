import type { Case } from '../../../src/core/experiment/case.ts';
import { caseIdOf } from '../../../src/core/experiment/case-id.ts';
import type { Baseline, Reference } from '../../../src/core/gate/baseline.ts';
import { runGate, type GateOptions } from '../../../src/core/gate/gate.ts';
import { makeReferences } from '../../../src/core/gate/make-references.ts';
import type { GateReport } from '../../../src/core/gate/report.ts';
import type { OutcomeClass } from '../../../src/core/logs/events.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { goodLog, recordOf } from '../sample-record.ts';

const base = recordOf(goodLog());
let count = 0;

export interface Launch {
  /** Every step; noise comes by giving launches different ones. */
  readonly stepMs?: number;
  /** Days and minutes after the beginning of 2026. */
  readonly day?: number;
  readonly minute?: number;
  readonly subject?: Partial<Case>;
  readonly outcome?: OutcomeClass;
  readonly stack?: string;
  readonly gpuGiB?: number | null;
  readonly hostGiB?: number | null;
  readonly experiment?: string;
}

/** One launch of the sample case (zero_offload or what `subject` makes of it). */
export function launch(given: Launch = {}): RunRecord {
  const { stepMs = 1_000, day = 0, minute = 0, outcome = 'ok', stack = 'aaaa' } = given;
  const { gpuGiB = 28.9, hostGiB = 37.7 } = given;
  const record =
    outcome === 'ok' ? recordOf(goodLog(Array.from({ length: 30 }, () => stepMs))) : recordOf([]);
  const startedMs = Date.UTC(2026, 0, 1 + day, 0, minute);
  const subject: Case = { ...base.case!, ...given.subject };
  count += 1;
  return {
    ...record,
    runId: `20260101T000000Z-launch-${String(count).padStart(4, '0')}`,
    caseId: caseIdOf(subject),
    case: subject,
    experiment: given.experiment ?? 'throughput',
    worldSize: subject.chips,
    stack: { ...record.stack!, hash: stack },
    startedUtc: new Date(startedMs).toISOString(),
    endedUtc: new Date(startedMs + 30_000).toISOString(),
    outcome: { class: outcome, reason: `it ended as ${outcome}`, evidence: null, rank: null, hint: null },
    throughput: { ...record.throughput, modelTflopsPerGpu: outcome === 'ok' ? 100_000 / stepMs : null },
    memory: { ...record.memory, gpuAllocatedGiB: gpuGiB, hostGiB },
  };
}

/** Launches of one session, a minute after another. */
export function session(day: number, stepMs: readonly number[], more: Launch = {}): RunRecord[] {
  return stepMs.map((ms, minute) => launch({ ...more, stepMs: ms, day, minute }));
}

export const speed = ['modelTflopsPerGpu'] as const;

export function baselineOf(references: readonly Reference[], more: Partial<Baseline> = {}): Baseline {
  return { schemaVersion: 1, updatedUtc: null, references, expectedFailures: [], ...more };
}

export const plainOptions: GateOptions = {
  threshold: null,
  metrics: null,
  historyLimit: 20,
  trusted: 'sessions',
  allowMissing: false,
  today: '2026-06-01',
};

export interface Held {
  readonly reference: readonly RunRecord[];
  readonly history?: readonly RunRecord[];
  readonly named: readonly RunRecord[] | null;
  readonly stored?: readonly RunRecord[];
  readonly options?: Partial<GateOptions>;
  readonly baseline?: Partial<Baseline>;
  readonly metrics?: GateOptions['metrics'];
}

/** Makes references of some runs, and holds others against them. */
export function hold({
  reference,
  history = [],
  named,
  stored,
  options,
  baseline,
  metrics,
}: Held): GateReport {
  const references = makeReferences(reference, history, { metrics: metrics ?? speed, threshold: 0.05 });
  return runGate({
    baseline: baselineOf(references, baseline),
    baselineName: 'base.json',
    holdsPast: true,
    startedUtc: '2026-06-01T00:00:00.000Z',
    named,
    stored: stored ?? named ?? [],
    options: { ...plainOptions, ...options },
  });
}
