import { placementText } from '../../core/report/placement-text.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { runEndOf } from '../../core/results/run-end.ts';
import { describeUpstream } from '../../core/stack/reference.ts';
import { upstreamNames } from '../../core/upstreams/upstream.ts';
import { isNeverStarted } from '../../workflows/runs/never-started.ts';
import type { RunListing } from '../../workflows/runs/list-runs.ts';
import type { LoadedRun } from '../../workflows/runs/runs.ts';
import { formatDuration, formatNumber } from './format.ts';
import { resultTable } from './result-table.ts';

/** @param chosen whether some may have been left out */
export function runsTable(listings: readonly RunListing[], chosen: boolean): string {
  if (listings.length === 0 && chosen) return 'no such runs; all of them: superoffload runs list';
  if (listings.length === 0) return 'no runs yet; start with: superoffload throughput';
  const columns = [
    { title: 'run' },
    { title: 'state' },
    { title: 's/step', align: 'right' },
    { title: 'TFLOPS', align: 'right' },
    { title: 'what', cut: true },
  ] as const;
  const rows = listings.map((run) => [
    run.runId,
    run.state,
    run.stepMs === null ? '-' : formatNumber(run.stepMs / 1000),
    run.modelTflopsPerGpu === null ? '-' : formatNumber(run.modelTflopsPerGpu),
    run.title,
  ]);
  return resultTable(columns, rows);
}

/** One run for a person: outcome and its proof first, then the numbers, then where everything lies. */
export function runText({ run, record }: LoadedRun): string {
  if (record === null) {
    return [run.plan?.title ?? run.runId, `state: ${stateText(run)}`, `folder: ${run.path}`].join('\n');
  }
  const rows = facts(record).filter(([, value]) => value !== null);
  const width = Math.max(...rows.map(([name]) => name.length));
  return [
    record.title,
    ...rows.map(([name, value]) => `${name.padEnd(width)}  ${value ?? ''}`),
    `${'folder'.padEnd(width)}  ${run.path}`,
    ...record.warnings.map((warning) => `warning: ${warning}`),
  ].join('\n');
}

function stateText(run: LoadedRun['run']): string {
  const { runId, plan, elsewhere, watched, livePids } = run;
  if (isNeverStarted(run)) {
    const again = plan === null ? '' : `to start it: superoffload runs replay ${runId}; `;
    return `not started: its superoffload was killed before it started it\n${again}to remove it: superoffload runs rm ${runId}`;
  }
  if (plan?.schedule !== undefined && !watched) {
    return `detached: its superoffload is gone; to follow it: superoffload runs watch ${runId}`;
  }
  if (elsewhere) return 'elsewhere: started on another machine or in another container, no record yet';
  if (livePids.length > 0) return `running, processes ${livePids.join(', ')}`;
  return watched ? 'running: its superoffload is at work' : 'no record, and no plan to rebuild one from';
}

function facts(record: RunRecord): (readonly [string, string | null])[] {
  const { statistics, throughput, memory, outcome, stack } = record;
  return [
    ['outcome', `${runEndOf(record)}: ${outcome.reason}`],
    ['evidence', outcome.evidence],
    ['what to do', outcome.hint],
    ['kind', record.functional ? 'functional (CPU ranks)' : record.system.title],
    ...stackFacts(stack),
    ['started', record.startedUtc],
    ['lasted', record.durationMs === null ? null : formatDuration(record.durationMs)],
    [
      'steps',
      statistics === null ? null : `${statistics.samples} after ${statistics.warmUpSteps} of warm-up`,
    ],
    ['step', statistics === null ? null : stepText(statistics)],
    ['model TFLOPS', withUnit(throughput.modelTflopsPerGpu, `per chip, ${throughput.formula ?? ''}`)],
    ['hardware TFLOPS', withUnit(throughput.hardwareTflopsPerGpu, 'per chip')],
    ['tokens/s', withUnit(throughput.tokensPerSecond, '')],
    [
      'GPU memory',
      withUnit(memory.gpuAllocatedGiB, `GiB allocated, ${formatOrDash(memory.gpuReservedGiB)} reserved`),
    ],
    ['placement', record.placement === undefined ? null : placementText(record.placement)],
    ['host memory', withUnit(memory.hostGiB, `GiB (${memory.hostSource ?? 'unknown source'})`)],
    [
      'loss',
      record.lastLoss === null
        ? null
        : `${formatOrDash(record.firstLoss)} to ${formatNumber(record.lastLoss)}`,
    ],
    ['recovered', record.recovered ? 'rebuilt from the log: the tool was killed' : null],
  ];
}

/** What ran: the same hash is the same software, and the rest says what to look for where it is another one. */
function stackFacts(stack: RunRecord['stack']): (readonly [string, string])[] {
  if (stack === null) return [];
  const { name, hash, torch, deepspeed, upstreams = {}, apex, drift = [] } = stack;
  return [
    ['stack', `${name}: torch ${torch}, DeepSpeed ${deepspeed}, lock ${hash.slice(0, 12)}`],
    ...upstreamNames.flatMap((each): [string, string][] => {
      const upstream = upstreams[each];
      return upstream === undefined ? [] : [[each, describeUpstream(upstream)]];
    }),
    ...(apex === null || apex === undefined ? [] : ([['apex', apex]] as const)),
    ...drift.slice(0, driftLines).map((line) => ['drift', line] as const),
    ...(drift.length > driftLines
      ? ([['drift', `... and ${drift.length - driftLines} more, see --json`]] as const)
      : []),
  ];
}

const driftLines = 20;

function stepText({ medianMs, interval }: NonNullable<RunRecord['statistics']>): string {
  const median = `${formatNumber(medianMs / 1000)} s median`;
  if (interval === null) return median;
  const { lowMs, highMs, confidence, basis } = interval;
  const percent = `${Math.round(confidence * 100)}%`;
  return `${median}, ${percent} interval ${formatNumber(lowMs / 1000)} to ${formatNumber(highMs / 1000)} (${basis})`;
}

function withUnit(value: number | null, unit: string): string | null {
  return value === null ? null : `${formatNumber(value)} ${unit}`.trim();
}

function formatOrDash(value: number | null): string {
  return value === null ? '-' : formatNumber(value);
}
