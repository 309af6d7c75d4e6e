import { groupBy } from '../../collections/group-by.ts';
import type { ModeName } from '../../experiment/case.ts';
import { wallTitles } from '../../search/verdict.ts';
import { believe } from '../judge/beliefs.ts';
import { leavesMargin } from '../judge/best.ts';
import { leadOver, type Lead } from '../judge/lead.ts';
import { measuredOf, pooledOf, type Measured } from '../measured.ts';
import { offloadFinding, type OffloadFinding, type PartsOf } from './offload.ts';
import { standingOf } from '../search/open-candidates.ts';
import type { Candidate, Rejected, Trial, Tuning } from '../tuning.ts';

/** What became of a mode. */
export type ModeFinding = { readonly mode: ModeName } & (
  | { readonly kind: 'chosen' }
  /** Its best trial beside the choice. */
  | {
      readonly kind: 'measured';
      readonly trial: Measured;
      readonly lead: Lead;
      readonly leavesMargin: boolean;
    }
  | { readonly kind: 'memory'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string }
  /** Never launched. `optimisticMs`: what it could have taken, at best; null where a size was searched. */
  | { readonly kind: 'untried'; readonly optimisticMs: number | null; readonly isForTime: boolean }
  | { readonly kind: 'rejected'; readonly reason: string }
);

/** Why a configuration was chosen, as data; in words by words.ts. */
export interface Explanation {
  readonly objective: Tuning['objective'];
  /** What was measured of the choice; null where nothing ran. */
  readonly chosen: Measured | null;
  /** Whether offload is needed; null where nothing was chosen, on CPU ranks, and where the largest size was searched. */
  readonly offload: OffloadFinding | null;
  /** Ranks ran on the CPU: times say nothing about a GPU. */
  readonly isFunctional: boolean;
  /** What the choice left of each memory, GiB; null where nobody measured it. */
  readonly left: { readonly gpuGiB: number | null; readonly hostGiB: number | null };
  readonly leavesMargin: boolean;
  readonly margin: number;
  /** Other measured configurations of the chosen mode, the fastest first. */
  readonly others: readonly { readonly trial: Measured; readonly lead: Lead }[];
  readonly modes: readonly ModeFinding[];
  /** Trials of this command, of earlier ones, and candidates that were never launched. */
  readonly counts: { readonly trials: number; readonly stored: number; readonly untried: number };
}

export interface ExplainContext {
  readonly rejected: readonly Rejected[];
  readonly accelerator: 'cuda' | 'cpu';
  readonly partsOf: PartsOf;
}

/** @param choice index of the candidate that was chosen; null where nothing ran */
export function explain(
  tuning: Tuning,
  choice: number | null,
  { rejected, accelerator, partsOf }: ExplainContext,
): Explanation {
  const measured = pooledOf(tuning);
  const chosen = measured.find(({ index, result }) => index === choice && result.isWhole) ?? null;
  const tried = new Set(tuning.trials.map(({ candidate }) => candidate));
  return {
    objective: tuning.objective,
    chosen,
    offload:
      accelerator === 'cuda' && chosen !== null && tuning.objective === 'throughput'
        ? offloadFinding(tuning, chosen, { rejected, partsOf })
        : null,
    isFunctional: accelerator === 'cpu',
    left: leftBy(chosen, tuning),
    leavesMargin: chosen !== null && leavesMargin(chosen, tuning),
    margin: tuning.budget.memoryMargin,
    others: chosen === null ? [] : othersOf(chosen, measured),
    modes: findings(tuning, chosen, rejected),
    counts: {
      trials: tuning.trials.filter(({ isStored }) => !isStored).length,
      stored: tuning.trials.filter(({ isStored }) => isStored).length,
      untried: tuning.candidates.length - tried.size,
    },
  };
}

function leftBy(chosen: Measured | null, { capacity }: Tuning): Explanation['left'] {
  const left = (have: number | null, took: number | null | undefined): number | null =>
    have === null || took === null || took === undefined ? null : have - took;
  return {
    gpuGiB: left(capacity.gpuGiB, chosen?.result.gpuGiB),
    hostGiB: left(capacity.hostGiB, chosen?.result.hostGiB),
  };
}

/** Of the chosen mode and size; more than a few say nothing more. */
const mostOthers = 3;

function othersOf(chosen: Measured, measured: readonly Measured[]): Explanation['others'] {
  const like = measured.filter(
    ({ index, candidate: { subject } }) =>
      index !== chosen.index &&
      subject.mode === chosen.candidate.subject.mode &&
      subject.model.name === chosen.candidate.subject.model.name,
  );
  return like
    .map((trial) => ({ trial, lead: leadOver(trial, chosen) }))
    .sort((a, b) => a.lead.ratio - b.lead.ratio)
    .slice(0, mostOthers);
}

function findings(tuning: Tuning, chosen: Measured | null, rejected: readonly Rejected[]): ModeFinding[] {
  const ofModes = groupBy(
    tuning.candidates.map((candidate, index) => ({ candidate, index })),
    ({ candidate }) => candidate.subject.mode,
  );
  const found = [...ofModes].map(([mode, own]) => {
    const indices = new Set(own.map(({ index }) => index));
    const trials = tuning.trials.filter(({ candidate }) => indices.has(candidate));
    return findingOf(tuning, chosen, { mode, candidates: own.map(({ candidate }) => candidate), trials });
  });
  const without = rejected.filter(({ subject }) => !ofModes.has(subject.mode));
  const firsts = new Map<ModeName, Rejected>();
  // Sizes stand smallest first: what the smallest lacks, all lack.
  for (const one of without) if (!firsts.has(one.subject.mode)) firsts.set(one.subject.mode, one);
  return [
    ...found,
    ...[...firsts].map(([mode, { reason }]) => ({ kind: 'rejected' as const, mode, reason })),
  ];
}

interface OfMode {
  readonly mode: ModeName;
  readonly candidates: readonly Candidate[];
  readonly trials: readonly Trial[];
}

function findingOf(
  tuning: Tuning,
  chosen: Measured | null,
  { mode, candidates, trials }: OfMode,
): ModeFinding {
  if (chosen?.candidate.subject.mode === mode) return { kind: 'chosen', mode };
  const measured = pooledOf({ candidates: tuning.candidates, trials });
  const [first, ...others] = measured.filter(({ candidate }) => isSameSize(candidate, chosen));
  if (first !== undefined && chosen !== null) {
    const trial = others.reduce((a, b) => (b.result.medianStepMs < a.result.medianStepMs ? b : a), first);
    const lead = leadOver(trial, chosen);
    return { kind: 'measured', mode, trial, lead, leavesMargin: leavesMargin(trial, tuning) };
  }
  const { lessons, tooLong } = standingOf(tuning);
  const failed = trials.find(({ result }) => result.kind === 'failed')?.result;
  if (failed?.kind === 'failed') return { kind: 'failed', mode, reason: failed.reason };
  const ranOut = trials.flatMap(({ result }) => (result.kind === 'memory' ? [result.wall] : []));
  if (ranOut[0] !== undefined) return { kind: 'memory', mode, reason: `ran out of ${wallTitles[ranOut[0]]}` };
  const out = candidates.map(lessons.whyOut);
  if (out[0] !== undefined && out[0] !== null && out.every((text) => text !== null)) {
    return { kind: 'memory', mode, reason: out[0] };
  }
  const belief = believe(
    measuredOf(tuning).map(({ candidate, result }) => ({ candidate, stepMs: result.medianStepMs })),
  );
  const optimistic = Math.min(...candidates.map((candidate) => belief(candidate).optimisticMs));
  return {
    kind: 'untried',
    mode,
    optimisticMs: tuning.objective === 'size' ? null : optimistic,
    isForTime:
      trials.some(({ result }) => result.kind === 'unfinished') ||
      tooLong.some(({ candidate }) => candidate.subject.mode === mode),
  };
}

function isSameSize({ subject }: Candidate, chosen: Measured | null): boolean {
  return chosen === null || subject.model.name === chosen.candidate.subject.model.name;
}
