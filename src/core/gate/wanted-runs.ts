import type { Baseline, Reference } from './baseline.ts';
import type { GateCase } from './gate-case.ts';

/**
 * Which stored runs a gate has to read, by their names alone: of each case in the baseline those after the reference,
 * the newest of them. A name holds the words of a case in order (core/experiment/case-id.ts).
 */
export interface WantedRuns {
  readonly mayPass: (caseId: string, runId: string) => boolean;
}

/** Launches of one session at most that are looked at where nobody named them. */
const sessionLimit = 30;

/**
 * @param runIds oldest first
 * @param caseIdOf the case that a run's name holds
 */
export function wantedRuns(
  { references }: Baseline,
  runIds: readonly string[],
  caseIdOf: (runId: string) => string,
  historyLimit: number,
): WantedRuns {
  const patterns = references.map(patternOf);
  const counts = new Map<string, number>();
  const wanted = new Set<string>();
  const known = new Map<string, boolean>();
  for (const runId of runIds.toReversed()) {
    const caseId = caseIdOf(runId);
    const isOurs = known.get(caseId) ?? patterns.some((pattern) => pattern(caseId));
    known.set(caseId, isOurs);
    const count = counts.get(caseId) ?? 0;
    if (!isOurs || count >= sessionLimit + historyLimit) continue;
    counts.set(caseId, count + 1);
    wanted.add(runId);
  }
  return { mayPass: (_, runId) => wanted.has(runId) };
}

function patternOf({ case: subject, metric }: Reference): (caseId: string) => boolean {
  // A search is all of its probes, and a name of this version need not be one of another: then all are read.
  if (metric === 'modelSize' || subject.mode === 'command') return isSameMode(subject);
  const words = `${subject.mode.replaceAll('_', '-')}-${(subject.model ?? '').toLowerCase().replaceAll(/[^a-z0-9.]+/g, '-')}-`;
  const middle = `-${subject.chips}chip-`;
  return (caseId) => (caseId.startsWith(words) || caseId.includes(`-${words}`)) && caseId.includes(middle);
}

function isSameMode({ mode }: GateCase): (caseId: string) => boolean {
  const word = mode.replaceAll('_', '-');
  return (caseId) => caseId.includes(word);
}
