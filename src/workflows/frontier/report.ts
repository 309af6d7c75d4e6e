import { casesExitCode } from '../../core/results/exit-code.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { parameterCount } from '../../core/model/shape.ts';
import type { Wall } from '../../core/search/frontier.ts';
import { verdictOf } from '../../core/search/verdict.ts';
import type { FrontierPlan, FrontierPoint, FrontierRow } from './frontier.ts';
import type { CaseProbe } from './run-search.ts';

/** One launched candidate in numbers: memory in GiB, peaks against what the run may use; null where unknown. */
export interface PointReport {
  readonly name: string;
  readonly model: string;
  /** Counted, never read off the name. */
  readonly parameters: number;
  readonly layers: number;
  readonly hidden: number;
  readonly sequenceLength: number;
  readonly runId: string;
  readonly outcome: string;
  /** `ran`, the memory that ran out, or null where neither is proven. */
  readonly verdict: 'ran' | Wall | null;
  readonly reason: string;
  readonly gpuGiB: number | null;
  readonly gpuCapacityGiB: number | null;
  readonly hostGiB: number | null;
  readonly hostCapacityGiB: number | null;
  readonly mfu: number | null;
  readonly modelTflopsPerGpu: number | null;
}

export interface RowReport extends Omit<FrontierRow, 'largestRan' | 'smallestFailed' | 'probes'> {
  readonly largestRan: PointReport | null;
  readonly smallestFailed: PointReport | null;
  /** Every launch that counts, the oldest first. */
  readonly runs: readonly PointReport[];
}

/** What a search came to, as `--json` prints it and tables show it. */
export function reportRow(plan: FrontierPlan, row: FrontierRow): RowReport {
  const { largestRan, smallestFailed, probes, ...rest } = row;
  const point = (found: FrontierPoint | null): PointReport | null =>
    found === null ? null : reportProbe(plan, { subject: found.case, record: found.record });
  return {
    ...rest,
    largestRan: point(largestRan),
    smallestFailed: point(smallestFailed),
    runs: probes.map((probe) => reportProbe(plan, probe)),
  };
}

export function reportProbe(
  plan: FrontierPlan,
  { subject, record }: Pick<CaseProbe, 'subject' | 'record'>,
): PointReport {
  const { capacity } = plan.predict(subject);
  const verdict = verdictOf(record);
  return {
    name: plan.nameOf(subject),
    model: subject.model.name,
    parameters: parameterCount(subject.model, subject.sequenceLength),
    layers: subject.model.layers,
    hidden: subject.model.hidden,
    sequenceLength: subject.sequenceLength,
    runId: record.runId,
    outcome: record.outcome.class,
    verdict: verdict.kind === 'memory' ? verdict.wall : verdict.kind === 'ran' ? 'ran' : null,
    reason: verdict.kind === 'unproven' ? verdict.reason : record.outcome.reason,
    gpuGiB: record.memory.gpuAllocatedGiB,
    gpuCapacityGiB: capacity.gpuGiB,
    hostGiB: record.memory.hostGiB ?? record.exit.peakHostGiB,
    hostCapacityGiB: capacity.hostGiB,
    mfu: record.throughput.mfu,
    modelTflopsPerGpu: record.throughput.modelTflopsPerGpu,
  };
}

/** A memory that ran out is an answer of a search; a launch that proved nothing leaves it without one. */
export function searchExitCode(plan: FrontierPlan, rows: readonly FrontierRow[]): 0 | 3 | 4 {
  if (rows.some(({ stopped }) => stopped !== null)) return 4;
  return plan.skipped.some(({ askedFor }) => askedFor) ? 3 : 0;
}

/** Of sizes or lengths that were given: the one that was asked for by name and does not run is a failure. */
export function givenExitCode(plan: FrontierPlan, probes: readonly CaseProbe[]): 0 | 3 | 4 {
  const records: readonly RunRecord[] = probes.map(({ record }) => record);
  return casesExitCode(records, {
    askedByName: true,
    unsupportedAskedFor: plan.skipped.some(({ askedFor }) => askedFor),
  });
}
