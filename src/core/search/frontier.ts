/**
 * The search for the largest candidate that a machine's memory holds: from the launches so far to the next one.
 * Candidates stand in the order of what is searched (parameters, tokens). Nothing is taken for true but what a launch
 * has shown: that something ran, or that it ran out of one kind of memory.
 */

import { chooseCandidate } from './choose.ts';

/** What ran out. Pinned and shared memory are the host's, each with a limit of its own. */
export type Wall = 'gpu' | 'host' | 'pinned' | 'shm';

/** What a candidate is predicted to need: only compared with one another here, never with a machine. */
export interface Needs {
  readonly gpuGiB: number;
  readonly hostGiB: number;
}

/** What one launch has shown. `unproven`: it ended for a reason that says nothing about memory. */
export type Verdict =
  | { readonly kind: 'ran' }
  | { readonly kind: 'memory'; readonly wall: Wall }
  | { readonly kind: 'unproven'; readonly reason: string };

/** One launch: which candidate, and what came of it. */
export interface Probe {
  readonly candidate: number;
  readonly verdict: Verdict;
}

export interface Search {
  /** In the order that is searched, smallest first. */
  readonly candidates: readonly Needs[];
  /** Index of the largest candidate that is predicted to fit; -1 where none is. */
  readonly predicted: number;
  /** The candidate above the predicted one is predicted to be nearer to the wall: it is tried first. */
  readonly startsAbove?: boolean;
  /** Every launch so far, of this session or an earlier one, in any order. */
  readonly probes: readonly Probe[];
  /** Whether the smallest candidate that failed is launched once more before it is believed. */
  readonly confirms: boolean;
}

/** What is known: indices of candidates. */
export interface Frontier {
  readonly largestRan: number | null;
  /** The smallest that failed above the largest that ran. */
  readonly smallestFailed: { readonly candidate: number; readonly wall: Wall } | null;
  /** The smallest that failed did so twice; null where nothing failed. */
  readonly confirmed: boolean | null;
}

export type Step =
  | {
      readonly type: 'probe';
      readonly candidate: number;
      readonly why: 'prediction' | 'search' | 'repeat';
    }
  | { readonly type: 'done'; readonly frontier: Frontier }
  /** A launch failed without a proof: going on would search for the wrong thing. */
  | { readonly type: 'stopped'; readonly reason: string; readonly frontier: Frontier };

/**
 * The next launch, or the end.
 *
 * It starts at the predicted edge, goes away from it in doubling steps and bisects once both sides are known, each
 * step held to where the rest can still be bisected within the bound: ceil(log2 n) + 2 launches, the repeat
 * included, whatever the prediction; 3 where the prediction is right: the largest that fits runs, the one above
 * fails, and once more. (A prediction that is one size off costs 3 or 4: which two of the three neighbours can share
 * a first launch is decided by `startsAbove`.) The bound counts candidates whose needs rise with their order, and a
 * wall that stays; a repeat that runs where the first launch failed makes the search longer.
 */
export function nextStep(search: Search): Step {
  const facts = factsOf(search);
  const stopped = search.probes.find(({ verdict }) => verdict.kind === 'unproven');
  if (stopped?.verdict.kind === 'unproven') {
    return { type: 'stopped', reason: stopped.verdict.reason, frontier: frontierOf(facts) };
  }
  if (facts.open.length > 0) return nextProbe(search, facts);
  const failed = facts.smallestFailed;
  if (search.confirms && failed !== null && facts.confirmed === false) {
    return { type: 'probe', candidate: failed.candidate, why: 'repeat' };
  }
  return { type: 'done', frontier: frontierOf(facts) };
}

interface Facts {
  /** -1: nothing ran. */
  readonly best: number;
  readonly smallestFailed: Frontier['smallestFailed'];
  readonly confirmed: boolean | null;
  /** Above `best`, neither launched nor proven to fail. */
  readonly open: readonly number[];
}

function factsOf(search: Search): Facts {
  const { candidates, probes } = search;
  const ran = new Set(probes.filter(({ verdict }) => verdict.kind === 'ran').map((probe) => probe.candidate));
  const best = Math.max(-1, ...ran);
  const failures = probes.flatMap(({ candidate, verdict }) =>
    verdict.kind === 'memory' ? [{ candidate, wall: verdict.wall }] : [],
  );
  const proofs = failures.filter(
    (failure) => !ran.has(failure.candidate) && !isRefuted(search, failure, ran),
  );
  const isProven = (index: number): boolean => proofs.some((proof) => proves(search, proof, index));
  const smallestFailed = smallestProven(search, proofs, best);
  return {
    best,
    smallestFailed,
    confirmed: smallestFailed === null ? null : isConfirmed(search, proofs, smallestFailed.candidate),
    open: candidates.flatMap((_, index) => (index > best && !isProven(index) ? [index] : [])),
  };
}

/** The smallest above `best` that is known to fail, with its own wall where it was launched. */
function smallestProven(
  search: Search,
  proofs: readonly Failure[],
  best: number,
): Frontier['smallestFailed'] {
  for (let candidate = best + 1; candidate < search.candidates.length; candidate += 1) {
    const own = proofs.find((proof) => proof.candidate === candidate);
    const proof = own ?? proofs.find((other) => proves(search, other, candidate));
    if (proof !== undefined) return { candidate, wall: proof.wall };
  }
  return null;
}

/** It failed twice; or once, and something that needs no more of the same memory failed too. */
function isConfirmed(search: Search, proofs: readonly Failure[], candidate: number): boolean {
  const launches = launchesOf(search, candidate);
  const isForeseen = proofs.some(
    (proof) => proof.candidate !== candidate && proves(search, proof, candidate),
  );
  return launches >= (isForeseen ? 1 : 2);
}

interface Failure {
  readonly candidate: number;
  readonly wall: Wall;
}

/** A failure holds for what is larger and needs as much or more of the memory that ran out, and for nothing else. */
function proves({ candidates }: Search, { candidate, wall }: Failure, index: number): boolean {
  const [other, failed] = [candidates[index], candidates[candidate]];
  if (index <= candidate || other === undefined || failed === undefined) return index === candidate;
  return needAt(other, wall) >= needAt(failed, wall);
}

/** Something larger that needs as much or more of the same memory ran: then it was not the size. */
function isRefuted(search: Search, failure: Failure, ran: ReadonlySet<number>): boolean {
  return [...ran].some((index) => proves(search, failure, index));
}

/** What a candidate needs of the memory behind a wall, GiB. */
export function needAt(needs: Needs, wall: Wall): number {
  return wall === 'gpu' ? needs.gpuGiB : needs.hostGiB;
}

function launchesOf({ probes }: Search, candidate: number): number {
  return probes.filter((probe) => probe.candidate === candidate).length;
}

function frontierOf({ best, smallestFailed, confirmed }: Facts): Frontier {
  return { largestRan: best < 0 ? null : best, smallestFailed, confirmed };
}

function nextProbe(search: Search, { open, best, smallestFailed }: Facts): Step {
  const launched = new Set(search.probes.map(({ candidate }) => candidate)).size;
  const { candidate, isPredicted } = chooseCandidate({
    open,
    best,
    isBounded: smallestFailed !== null,
    predicted: search.predicted,
    startsAbove: search.startsAbove ?? false,
    budget: Math.ceil(Math.log2(search.candidates.length)) + 1 - launched,
  });
  return { type: 'probe', candidate, why: isPredicted ? 'prediction' : 'search' };
}
