import { expect } from 'vitest';
import {
  nextStep,
  type Needs,
  type Probe,
  type Search,
  type Step,
  type Verdict,
} from '../../../src/core/search/frontier.ts';

/** Needs that rise with the candidate's place, as those of sizes of one shape do. */
export const rising = (count: number): Needs[] =>
  Array.from({ length: count }, (_, index) => ({ gpuGiB: index + 1, hostGiB: 2 * (index + 1) }));

interface Run {
  readonly launched: readonly number[];
  readonly end: Exclude<Step, { type: 'probe' }>;
}

/** Searches on a machine that answers with `verdict`. */
export function search(
  start: Omit<Search, 'probes' | 'confirms'> & Partial<Search>,
  verdict: (candidate: number) => Verdict,
): Run {
  const probes: Probe[] = [...(start.probes ?? [])];
  const launched: number[] = [];
  for (;;) {
    const step = nextStep({ confirms: true, ...start, probes });
    if (step.type !== 'probe') return { launched, end: step };
    expect(launched.length, 'it must come to an end').toBeLessThan(start.candidates.length * 2 + 4);
    launched.push(step.candidate);
    probes.push({ candidate: step.candidate, verdict: verdict(step.candidate) });
  }
}

export const ran: Verdict = { kind: 'ran' };
export const out = (wall: 'gpu' | 'host' | 'pinned' | 'shm'): Verdict => ({ kind: 'memory', wall });
/** Everything up to `edge` runs. */
export const wallAbove =
  (edge: number, wall: 'gpu' | 'host' = 'host') =>
  (candidate: number): Verdict =>
    candidate <= edge ? ran : out(wall);
