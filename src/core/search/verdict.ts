import { findEvidence } from '../logs/evidence.ts';
import type { Outcome } from '../logs/events.ts';
import type { RunRecord } from '../results/record.ts';
import type { Verdict, Wall } from './frontier.ts';

/** Adam's state is allocated by the first applied step: the second one shows that what follows fits beside it. */
export const leastAppliedSteps = 2;

/** What one run says about memory, and nothing else. */
export function verdictOf(record: RunRecord): Verdict {
  const wall = wallOf(record);
  if (wall !== null) return { kind: 'memory', wall };
  const { outcome } = record;
  if (outcome.class !== 'ok') return { kind: 'unproven', reason: `${outcome.class}: ${outcome.reason}` };
  const applied = appliedSteps(record);
  if (applied >= leastAppliedSteps) return { kind: 'ran' };
  const reason = `only ${applied} of its ${record.lastIteration ?? 0} steps changed the weights, and it takes ${leastAppliedSteps}: use more --steps`;
  return { kind: 'unproven', reason };
}

/** Optimizer steps that were not skipped for an overflow. */
function appliedSteps({ lastIteration, skippedIterations }: RunRecord): number {
  return (lastIteration ?? 0) - skippedIterations;
}

/** The memory that ran out, by the proof that the outcome needed; null where none did. */
export function wallOf({ outcome, exit }: Pick<RunRecord, 'outcome' | 'exit'>): Wall | null {
  switch (outcome.class) {
    case 'gpu_oom':
      return 'gpu';
    case 'shm_full':
      return 'shm';
    case 'host_oom':
      return isPinned(outcome) ? 'pinned' : 'host';
    case 'worker_dead':
      return wallOfWorker(outcome, exit.oomKills);
    default:
      return null;
  }
}

/** CUDA reports a failing pin as its own; only a frame that pins makes a host's failure of it (core/logs/evidence-table.ts). */
function isPinned({ evidence }: Outcome): boolean {
  return evidence !== null && /CUDA error: out of memory|cudaHostAlloc|pinned memory/i.test(evidence);
}

/**
 * SuperOffload's optimizer process dies apart from the ranks: of the kernel, which counts it while the rank itself
 * leaves with an error, or of an allocation, which is then its own first error.
 */
function wallOfWorker({ evidence }: Outcome, oomKills: number | null): Wall | null {
  if (oomKills !== null && oomKills > 0) return 'host';
  const said = evidence === null ? undefined : findEvidence(evidence, false)?.outcome;
  if (said === 'host_oom') return 'host';
  return said === 'shm_full' ? 'shm' : null;
}

/** As a table says it. */
export const wallTitles: Readonly<Record<Wall, string>> = {
  gpu: 'GPU memory',
  host: 'host memory',
  pinned: 'pinned host memory',
  shm: 'shared memory (/dev/shm)',
};
