import { listRunIds } from '../../adapters/run-store.ts';
import { runGate, type GateOptions } from '../../core/gate/gate.ts';
import { defaultMetrics, defaultThreshold } from '../../core/gate/metric.ts';
import type { GateReport } from '../../core/gate/report.ts';
import { wantedRuns } from '../../core/gate/wanted-runs.ts';
import { caseIdOfRun } from '../../core/results/run-files.ts';
import { utcNow, type Context } from '../context.ts';
import { readRecords } from '../records/read-records.ts';
import { findBaseline, type FoundBaseline } from './read-baseline.ts';

export interface GateRequest {
  readonly baseline: string;
  /** What is held against it; none: of each case the newest session since the reference. */
  readonly from: readonly string[];
  readonly options: Omit<GateOptions, 'today'>;
}

export interface GateResult {
  readonly report: GateReport;
  /** The baseline's file, absolute; null where runs are the baseline. */
  readonly baselinePath: string | null;
}

/**
 * Holds stored runs against a baseline. Reads, decides, changes nothing.
 * @throws SuperOffloadError 'usage' or 'config' with every fault of what was named.
 */
export async function gate(
  context: Context,
  { baseline: name, from, options }: GateRequest,
): Promise<GateResult> {
  const startedUtc = utcNow(context);
  const found = await findBaseline(context, name, {
    metrics: options.metrics ?? defaultMetrics,
    threshold: options.threshold ?? defaultThreshold,
  });
  const named = from.length === 0 ? null : await readRecords(context, from);
  const runIds = new Set(named?.records.map(({ record }) => record.runId));
  const stored = await readStored(context, found, options.historyLimit, named === null ? null : runIds);
  const report = runGate({
    baseline: found.baseline,
    baselineName: found.name,
    holdsPast: found.path !== null,
    startedUtc,
    named: named?.records.map(({ record }) => record) ?? null,
    stored: stored.records.map(({ record }) => record),
    options: { ...options, today: startedUtc.slice(0, 10) },
  });
  const notes = [...found.notes, ...(named?.notes ?? []), ...report.notes, ...stored.notes];
  return { report: { ...report, notes: [...new Set(notes)] }, baselinePath: found.path };
}

/**
 * Of thousands of stored runs only those that the references can use are opened.
 * @param named run ids that were read already and are judged, so that they are no history; null: what is read is judged
 */
async function readStored(
  context: Context,
  { baseline }: FoundBaseline,
  historyLimit: number,
  named: ReadonlySet<string> | null,
): ReturnType<typeof readRecords> {
  if (named !== null && historyLimit === 0) return { records: [], notes: [] };
  const runIds = await listRunIds(context.home);
  const others = named === null ? runIds : runIds.filter((runId) => !named.has(runId));
  return readRecords(context, ['runs'], wantedRuns(baseline, others, caseIdOfRun, historyLimit));
}
