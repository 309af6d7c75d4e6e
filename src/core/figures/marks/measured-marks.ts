import type { Case } from '../../experiment/case.ts';
import { standingOf } from '../../campaign/retry-policy.ts';
import type { OutcomeClass } from '../../logs/events.ts';
import type { RunRecord, Throughput } from '../../results/record.ts';
import { fullConfidence, isMeasured, summarizeCases, type CaseSummary } from '../../results/summarize.ts';
import { busyTasks } from '../../results/busy-machine.ts';
import { keptBatches } from '../../search/batch-rule.ts';
import { wallOf } from '../../search/verdict.ts';
import { endsText } from './end-words.ts';
import type { Mark } from '../figure-data.ts';
import { markOf, smallerBatchText } from './marks.ts';
import type { Trial } from '../trial.ts';

/** What is shown of a run's speed, in the figure's unit. */
export type Measure = (throughput: Throughput) => number | null;

type At = Pick<Mark, 'panel' | 'series' | 'x'>;

/**
 * The mark of one cell, of runs that may be taken together: the batch that counts by the paper's rule, all its
 * launches together; where none ran, what stopped them.
 * @param trials oldest first, at least one
 * @param own the case as the experiment has it: the whole batch at once
 */
export function measuredMark(at: At, trials: readonly Trial[], own: Case, measure: Measure): Mark {
  const batches = batchesOf(trials);
  const ran = batches.flatMap((batch) => {
    const value = batch.summary.stepMs === null ? null : measure(batch.summary.throughput);
    return value === null ? [] : [{ ...batch, value, modelTflops: value }];
  });
  const chosen = ran.find(({ subject }) => isWhole(subject, own)) ?? keptBatches(ran)[0];
  if (chosen === undefined) return markWithoutValue(at, batches, own);
  const { summary, subject, value } = chosen;
  return markOf(
    { ...at, source: 'measured', state: 'value' },
    {
      value,
      ...intervalOf(summary, value),
      runIds: summary.launches.map(({ runId }) => runId),
      notes: [
        ...batchNotes(subject, own),
        ...skippedNotes(summary),
        ...busyNotes(summary),
        ...failureNotes(summary),
      ],
    },
  );
}

interface BatchRuns {
  readonly subject: Case;
  readonly summary: CaseSummary;
}

/** Launches of one batch, whatever their steps and seeds. */
function batchesOf(trials: readonly Trial[]): BatchRuns[] {
  const subjects = new Map<string, Case>();
  const records = trials.map(({ record, subject }) => {
    const caseId = `${subject.microBatch} ${subject.activationCheckpointing}`;
    subjects.set(caseId, subject);
    return { ...record, caseId };
  });
  return summarizeCases(records).flatMap((summary) => {
    const subject = subjects.get(summary.caseId);
    return subject === undefined ? [] : [{ subject, summary }];
  });
}

function isWhole({ microBatch, activationCheckpointing }: Case, own: Case): boolean {
  return microBatch === own.microBatch && activationCheckpointing === own.activationCheckpointing;
}

function batchNotes({ gradientAccumulation, activationCheckpointing }: Case, own: Case): string[] {
  return [
    ...(gradientAccumulation > own.gradientAccumulation ? [`accumulation ${gradientAccumulation}`] : []),
    ...(activationCheckpointing && !own.activationCheckpointing ? ['recomputed'] : []),
    ...(!activationCheckpointing && own.activationCheckpointing ? ['not recomputed'] : []),
  ];
}

/** A skipped step has no optimizer step in its time: the rate is higher than that of a step that trains. */
function skippedNotes({ launches }: CaseSummary): string[] {
  const measured = launches.filter(isMeasured);
  const skipped = measured.reduce((sum, { skippedIterations }) => sum + skippedIterations, 0);
  const steps = measured.reduce((sum, { stepMs }) => sum + stepMs.length, 0);
  return skipped === 0 ? [] : [`${skipped} of ${Math.max(skipped, steps)} steps skipped for overflow`];
}

/** Times of such a run are in doubt: its record and `compare` say so too. */
function busyNotes({ launches }: CaseSummary): string[] {
  const measured = launches.filter(isMeasured);
  const busy = busyTasks(measured);
  if (busy.length === 0) return [];
  const of = measured.length === 1 ? '' : `${busy.length} of ${measured.length} launches `;
  return [`${of}on a busy machine: tasks of others ran before`];
}

function failureNotes({ launches }: CaseSummary): string[] {
  const failed = launches.filter((launch) => !isMeasured(launch));
  if (failed.length === 0) return [];
  const ends = endsText(failed.map(({ outcome }) => outcome.class));
  return [`${failed.length} of ${launches.length} launches gave no number: ${ends}`];
}

/** A rate is the work of a step over its time: the shorter time is the higher rate. */
function intervalOf({ interval, stepMs, launches }: CaseSummary, value: number) {
  if (interval === null || stepMs === null) return {};
  const { lowMs, highMs, confidence, basis } = interval;
  const count = launches.filter(isMeasured).length;
  const share = confidence >= fullConfidence ? '95%' : 'less than 95%';
  return {
    low: (value * stepMs) / highMs,
    high: (value * stepMs) / lowMs,
    basis: basis === 'between launches' ? `${share} between ${count} launches` : `${share} within one run`,
  };
}

/** The whole batch says what ran out; where it was never launched, the newest run does. */
function markWithoutValue(at: At, batches: readonly BatchRuns[], own: Case): Mark {
  const whole = batches.filter(({ subject }) => isWhole(subject, own));
  const launches = [...batches.filter((batch) => !whole.includes(batch)), ...whole].flatMap(
    ({ summary }) => summary.launches,
  );
  const mark = markWithoutNumber(at, launches);
  const others = new Set(
    launches.flatMap((launch) => wallOf(launch) ?? []).filter((wall) => wall !== mark.wall),
  );
  return mark.state === 'oom' ? { ...mark, notes: [...others].map(smallerBatchText) } : mark;
}

/** @param launches the one that says most last */
export function markWithoutNumber(at: At, launches: readonly RunRecord[]): Mark {
  const runIds = launches.map(({ runId }) => runId).sort();
  const bare = { ...at, source: 'measured' } as const;
  const full = launches.findLast((record) => wallOf(record) !== null);
  if (full !== undefined) return markOf({ ...bare, state: 'oom' }, { wall: wallOf(full), runIds });
  const classes = [...new Set(launches.map(({ outcome }) => outcome.class))];
  if (classes.length === 0) return markOf({ ...bare, state: 'not-run' });
  if (classes.every((name) => standingOf(name) === 'stopped')) {
    const steps = launches.at(-1)?.lastIteration ?? null;
    return markOf(
      { ...bare, state: 'stopped' },
      { runIds, notes: steps === null ? [] : [`ended after step ${steps}`] },
    );
  }
  if (classes.includes('unsupported')) return markOf({ ...bare, state: 'unsupported' }, { runIds });
  return markOf({ ...bare, state: 'failed' }, { runIds, notes: [noNumberText(classes)] });
}

function noNumberText(classes: readonly OutcomeClass[]): string {
  return classes.includes('ok') ? 'ran, and has no number of this unit' : endsText(classes);
}
