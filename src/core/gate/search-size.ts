import { parameterCount } from '../model/shape.ts';
import type { RunRecord } from '../results/record.ts';
import { keyOf, searchCaseOf } from './gate-case.ts';

/** What a search for the largest size came to, from its runs. */
export interface FoundSize {
  /** Largest that ran, billions of parameters. */
  readonly value: number;
  /** Whether something larger was tried and memory did not hold it: only then is it the largest. */
  readonly hasWall: boolean;
  readonly runs: readonly string[];
}

const memoryOutcomes: ReadonlySet<string> = new Set(['gpu_oom', 'host_oom', 'shm_full']);

/** Whether a run is one of a search's probes: out of memory is what those look for. */
export function isSearchProbe(record: RunRecord): boolean {
  return record.experiment === 'model_size' && record.case !== null;
}

/** @returns by the key of the case without its size; a search in which nothing ran has no entry. */
export function foundSizes(
  records: readonly RunRecord[],
): Map<string, FoundSize & { readonly record: RunRecord }> {
  const byCase = new Map<string, RunRecord[]>();
  for (const record of records.filter(isSearchProbe)) {
    const subject = searchCaseOf(record);
    if (subject === null) continue;
    const key = keyOf(subject);
    byCase.set(key, [...(byCase.get(key) ?? []), record]);
  }
  const found = new Map<string, FoundSize & { readonly record: RunRecord }>();
  for (const [key, probes] of byCase) {
    const best = probes
      .filter(({ outcome }) => outcome.class === 'ok')
      .sort((a, b) => sizeOf(b) - sizeOf(a))[0];
    if (best === undefined) continue;
    const hasWall = probes.some(
      (probe) => memoryOutcomes.has(probe.outcome.class) && sizeOf(probe) > sizeOf(best),
    );
    found.set(key, { value: sizeOf(best), hasWall, runs: probes.map(({ runId }) => runId), record: best });
  }
  return found;
}

function sizeOf({ case: subject }: RunRecord): number {
  return subject === null ? 0 : parameterCount(subject.model, subject.sequenceLength) / 1e9;
}
