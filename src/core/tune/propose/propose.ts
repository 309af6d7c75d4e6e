import { isOverlayMode, modes } from '../../deepspeed/modes/registry.ts';
import { caseIdOf } from '../../experiment/case-id.ts';
import type { ModeName, ModelShape, System } from '../../experiment/case.ts';
import { withAssumedRates } from './assumed-rates.ts';
import { draftsOf, type Draft } from './drafts.ts';
import { judgeDraft, type Judge } from './judge-draft.ts';
import { modesFor } from '../modes-to-tune.ts';
import { capacityOf, noFactors, type MemoryFactors } from '../needs.ts';
import type { TuneRequest } from '../request.ts';
import type { Candidate, Rejected } from '../tuning.ts';

export interface Proposal {
  /** What fits with the margin, by prediction; of each size the fastest by prediction first. */
  readonly candidates: readonly Candidate[];
  /** Modes, or ways within one, that have no candidate. */
  readonly rejected: readonly Rejected[];
}

/** Within a mode no error of a prediction makes up for this; between modes they were 0.86 to 1.36 of it with the built-in trainer. */
const slowestOfMode = 2;

/**
 * Every configuration that is worth a trial, with its prediction. What the user has set, and all that changes what is
 * learnt (global batch, dtype, clipping, sequence, seed, data), is left as it is.
 * @param factors what trials have shown of the modes' memory; by them more, or less, fits
 */
export function proposeCandidates(
  request: TuneRequest,
  system: System,
  factors: MemoryFactors = noFactors,
): Proposal {
  const judge: Judge = {
    request,
    system,
    assumed: withAssumedRates(system),
    capacity: capacityOf(request, system),
    factors,
  };
  const asked = modesFor(request.modes, request.base.sequenceParallel);
  const proposals = request.models.map((model): Proposal => {
    const ofModes = asked.map((mode) => proposeMode(judge, mode, model));
    const candidates = ofModes.flatMap((proposal) => proposal.candidates);
    return {
      candidates: candidates.sort(byPrediction),
      rejected: ofModes.flatMap((proposal) => proposal.rejected),
    };
  });
  return {
    candidates: proposals.flatMap((proposal) => proposal.candidates),
    rejected: proposals.flatMap((proposal) => proposal.rejected),
  };
}

/** What a trial is known by: equal keys are one configuration. */
export function candidateKey({ subject, bindCores }: Pick<Candidate, 'subject' | 'bindCores'>): string {
  return `${caseIdOf(subject)}${bindCores ? '-bound' : ''}`;
}

function proposeMode(judge: Judge, mode: ModeName, model: ModelShape): Proposal {
  const { request, system } = judge;
  const drafts = draftsOf(request, system, { mode, model });
  const impossible = whyNever(mode, judge);
  if (impossible !== null) {
    return {
      candidates: [],
      rejected: drafts.slice(0, 1).map(({ subject }) => ({ subject, reason: impossible })),
    };
  }
  const usable = drafts.filter(({ variant }) => request.hasOverlay || !variant.needsOverlay);
  const judged = usable.map((draft) => ({ draft, ...judgeDraft(judge, draft) }));
  const candidates = withoutNeedlessOffload(
    judged.flatMap((one) => one.candidates),
    request,
  );
  const rejected = judged.flatMap(({ draft, rejected: one }) =>
    one === null || !isPlain(draft) ? [] : [one],
  );
  // The first draft is the leanest: what it lacks, the mode lacks.
  if (candidates.length === 0) return { candidates, rejected: leanestFirst(rejected).slice(0, 1) };
  const { useful, slow } = withoutSlow(candidates);
  return { candidates: useful, rejected: [...rejected, ...slow] };
}

/** Of equals the one with the fewest passes and settings. */
function byPrediction(a: Candidate, b: Candidate): number {
  const settings = ({ subject, bindCores }: Candidate): number =>
    Object.keys(subject.deepspeedOverrides).length + (bindCores ? 1 : 0);
  return (
    a.orderMs - b.orderMs ||
    a.subject.gradientAccumulation - b.subject.gradientAccumulation ||
    settings(a) - settings(b)
  );
}

function isPlain({ variant, bindCores }: Draft): boolean {
  return variant.why === null && !bindCores;
}

/** One sequence at a time, recomputed: what needs the least GPU memory. */
function leanestFirst(rejected: readonly Rejected[]): Rejected[] {
  const cost = ({ subject }: Rejected): number =>
    subject.microBatch + (subject.activationCheckpointing ? 0 : 0.5);
  return [...rejected].sort((a, b) => cost(a) - cost(b));
}

function whyNever(mode: ModeName, { request, system }: Judge): string | null {
  if (modes[mode].needsCuda && system.accelerator !== 'cuda') {
    return `${modes[mode].title} needs an NVIDIA GPU: DeepSpeed refuses it on any other accelerator`;
  }
  if (isOverlayMode(mode) && !request.hasOverlay) {
    return 'the installed DeepSpeed has no overlap optimizer: superoffload install, or superoffload patch';
  }
  return null;
}

/** Kept activations go to the host only where they are too large for the GPU. */
function withoutNeedlessOffload(candidates: readonly Candidate[], { fixed }: TuneRequest): Candidate[] {
  if (fixed.activationOffload !== null) return [...candidates];
  const onGpu = new Set(
    candidates
      .filter(({ subject }) => subject.activationCheckpointing && !subject.activationOffload)
      .map(({ subject }) => subject.microBatch),
  );
  return candidates.filter(({ subject }) => !subject.activationOffload || !onGpu.has(subject.microBatch));
}

function withoutSlow(candidates: readonly Candidate[]): { useful: Candidate[]; slow: Rejected[] } {
  const fastest = Math.min(...candidates.map(({ orderMs }) => orderMs));
  const isSlow = ({ orderMs }: Candidate): boolean => orderMs > slowestOfMode * fastest;
  return {
    useful: candidates.filter((candidate) => !isSlow(candidate)),
    slow: candidates.filter(isSlow).map(({ subject, orderMs }) => ({
      subject,
      reason: `${(orderMs / fastest).toFixed(1)} times as slow as the best of its mode, by prediction`,
    })),
  };
}
