import { isMeasured } from '../results/summarize.ts';
import type { RunRecord } from '../results/record.ts';
import { momentsOf } from '../stats/mean-test.ts';
import type { Noise, Provenance, Reference } from './baseline.ts';
import { halfWidthOf } from './estimate.ts';
import { gateCaseOf, searchCaseOf } from './gate-case.ts';
import { groupByKey } from './gate.ts';
import { boundsOf, isTimed, metrics, type Metric, type MetricName } from './metric.ts';
import { foundSizes, isSearchProbe } from './search-size.ts';
import { logsOf, oldestFirst, pooledWithin, sessionMeans, sessionsOf } from './sessions.ts';

export interface ReferenceOptions {
  readonly metrics: readonly MetricName[];
  /** How much worse is allowed, as a share. */
  readonly threshold: number;
}

/**
 * References from runs: of each case and metric the geometric mean of its launches, with the noise that they and
 * earlier runs of the case show.
 * @param runs what the values are of @param history earlier runs, which only add to the noise
 */
export function makeReferences(
  runs: readonly RunRecord[],
  history: readonly RunRecord[],
  options: ReferenceOptions,
): Reference[] {
  const past = groupByKey(history);
  const plain = [...groupByKey(runs.filter((run) => !isSearchProbe(run)))].flatMap(([key, group]) => {
    const measured = oldestFirst(group.filter(isMeasured));
    return options.metrics.flatMap(
      (name) => referenceOf(metrics[name], measured, past.get(key) ?? [], options) ?? [],
    );
  });
  return [...plain, ...(options.metrics.includes('modelSize') ? sizeReferences(runs, options) : [])];
}

function referenceOf(
  metric: Metric,
  runs: readonly RunRecord[],
  history: readonly RunRecord[],
  { threshold }: ReferenceOptions,
): Reference | null {
  const [first] = runs;
  const sessions = sessionsOf(runs);
  const groups = logsOf(sessions, metric.valueOf);
  const logs = groups.flat();
  if (first === undefined || logs.length === 0) return null;
  const past = sessionsOf(history);
  const noise: Noise = {
    launches: logs.length,
    sessions: groups.length,
    betweenLaunches: rounded(pooledWithin([...groups, ...logsOf(past, metric.valueOf)])),
    betweenSessions: rounded(pooledWithin(sessionMeans([...past, ...sessions], metric.valueOf))),
    withinRun: isTimed(metric) ? roundOrNull(halfWidthOf(runs)) : null,
  };
  const value = round(Math.exp(momentsOf(logs).mean));
  const bounds = boundsOf(metric, threshold);
  const provenance = provenanceOf(runs);
  const subject = gateCaseOf(first);
  return {
    case: subject,
    metric: metric.name,
    value,
    ...shares(bounds),
    unit: metric.unit,
    noise,
    provenance,
  };
}

function sizeReferences(runs: readonly RunRecord[], { threshold }: ReferenceOptions): Reference[] {
  const metric = metrics.modelSize;
  return [...foundSizes(runs).values()].flatMap(({ value, hasWall, record, runs: ids }) => {
    const subject = searchCaseOf(record);
    // A search that met no wall has found no largest size.
    if (subject === null || !hasWall) return [];
    const provenance = provenanceOf(runs.filter(({ runId }) => ids.includes(runId)));
    const bounds = shares(boundsOf(metric, threshold));
    return [
      { case: subject, metric: metric.name, value: round(value), ...bounds, unit: metric.unit, provenance },
    ];
  });
}

function provenanceOf(runs: readonly RunRecord[]): Provenance {
  const ordered = oldestFirst(runs);
  const [first, last] = [ordered[0], ordered.at(-1)];
  if (first === undefined || last === undefined) throw new Error('a reference has runs');
  const { stack, system, tool } = last;
  const gpu = system.gpuName === null ? '' : `${system.gpuName}, `;
  return {
    runs: ordered.map(({ runId }) => runId),
    firstUtc: first.startedUtc,
    lastUtc: last.startedUtc,
    machine: `${system.title}: ${gpu}${system.cores} cores`,
    stack:
      stack === null
        ? null
        : { name: stack.name, hash: stack.hash, torch: stack.torch, deepspeed: stack.deepspeed },
    tool: tool === null ? null : { version: tool.version, commit: tool.commit, dirty: tool.dirty },
  };
}

/** Six digits: more are noise, and make every update a difference of all lines. */
function round(value: number): number {
  return Number(value.toPrecision(6));
}

function roundOrNull(value: number | null): number | null {
  return value === null ? null : round(value);
}

function rounded<T extends { readonly deviation: number } | null>(value: T): T {
  return value === null ? value : { ...value, deviation: round(value.deviation) };
}

function shares({ lower, upper }: { readonly lower: number; readonly upper: number }) {
  return { lower: Number(lower.toFixed(6)), upper: Number(upper.toFixed(6)) };
}
