import type { Column } from '../../adapters/table.ts';
import type { System } from '../../core/experiment/case.ts';
import { settingWords } from '../../core/experiment/setting-words.ts';
import type { CampaignCancel } from '../../workflows/campaign/cancel.ts';
import type { ListedCell } from '../../workflows/campaign/list-cells.ts';
import type { LeftOut } from '../../workflows/campaign/plan-campaign.ts';
import type { CampaignCounts, CellReport } from '../../workflows/campaign/report.ts';
import type { CampaignResult } from '../../workflows/campaign/run-campaign.ts';
import type { CampaignListing, CampaignStatus } from '../../workflows/campaign/status.ts';
import { intervalCell, intervalNotes } from './interval.ts';
import { longTable } from './long-table.ts';
import { formatDuration, formatNumber } from './format.ts';

/** What tells the cases of a table apart; their settings only where nothing else does. */
function casesShown(cases: readonly CellReport['case'][]): {
  readonly columns: readonly Column[];
  readonly cellsOf: (subject: CellReport['case']) => string[];
} {
  const isClear = new Set(cases.map((each) => caseCells(each).join(' '))).size === cases.length;
  if (isClear) return { columns: caseColumns, cellsOf: caseCells };
  return {
    columns: [...caseColumns, { title: 'settings' }],
    cellsOf: (subject) => [...caseCells(subject), settingWords(subject) || '-'],
  };
}

const caseColumns: readonly Column[] = [
  { title: 'mode' },
  { title: 'size' },
  { title: 'chips', align: 'right' },
  { title: 'batch', align: 'right' },
  { title: 'sequence', align: 'right' },
];

function caseCells({
  mode,
  model,
  chips,
  microBatch,
  gradientAccumulation,
  sequenceLength,
}: CellReport['case']) {
  return [mode, model.name, String(chips), `${microBatch}x${gradientAccumulation}`, String(sequenceLength)];
}

/** What would run, in its order. */
export function cellsTable(cells: readonly ListedCell[]): string {
  const shown = casesShown(cells.map(({ cell }) => cell.case));
  const columns: readonly Column[] = [
    ...shown.columns,
    { title: 'expected', align: 'right' },
    { title: 'state' },
    { title: 'key' },
  ];
  const rows = cells.map(({ cell, state, reused, expectedMs }) => [
    ...shown.cellsOf(cell.case),
    expectedMs === null ? '-' : formatDuration(expectedMs),
    state === 'left' && reused.length > 0 ? `has ${reused.join(', ')}` : state,
    cell.key.slice(0, 12),
  ]);
  const left = cells.filter(({ state, reused }) => state === 'left' && reused.length === 0).length;
  return [
    longTable(columns, rows),
    `${cells.length} ${cells.length === 1 ? 'case' : 'cases'}, ${left} to run`,
  ].join('\n');
}

const mostLines = 12;

/** An experiment has hundreds of cases, and notes of each: the first say what kind they are. */
export function firstLines(lines: readonly string[]): string[] {
  if (lines.length <= mostLines) return [...lines];
  return [
    ...lines.slice(0, mostLines),
    `... and ${lines.length - mostLines} more such lines, see --list --json`,
  ];
}

/** What is left out, one line a reason. */
export function leftOutLines(leftOut: readonly LeftOut[]): string[] {
  const byReason = new Map<string, string[]>();
  for (const { case: subject, reason } of leftOut) {
    const { mode, model, chips, sequenceLength } = subject;
    const name = `${mode} ${model.name} on ${chips} (sequence ${sequenceLength})`;
    byReason.set(reason, [...(byReason.get(reason) ?? []), name]);
  }
  const lines = [...byReason].map(([reason, names]) => {
    const shown = names.slice(0, 4).join(', ');
    const more = names.length > 4 ? ` and ${names.length - 4} more` : '';
    return `left out: ${shown}${more}: ${reason}`;
  });
  return firstLines(lines);
}

/** What ends `campaign run`. */
export function resultText({ name, cells, counts, outOfTime }: CampaignResult, system: System): string {
  return [
    ...(system.accelerator === 'cpu' ? ['FUNCTIONAL: CPU ranks; these speeds say nothing about a GPU'] : []),
    reportsTable(cells),
    countsText(counts),
    ...(outOfTime === 0
      ? []
      : [
          `${outOfTime} not begun: they would not have ended within --max-hours; go on: ${resumeCommand(name)}`,
        ]),
    ...(outOfTime === 0 && counts.left > 0 ? [`go on: ${resumeCommand(name)}`] : []),
  ].join('\n');
}

function reportsTable(cells: readonly CellReport[]): string {
  const shown = casesShown(cells.map((cell) => cell.case));
  const columns: readonly Column[] = [
    ...shown.columns,
    { title: 's/step', align: 'right' },
    { title: '95% interval', align: 'right' },
    { title: 'TFLOPS', align: 'right' },
    { title: 'GPU GiB', align: 'right' },
    { title: 'host GiB', align: 'right' },
    { title: 'outcome' },
    { title: 'runs', align: 'right' },
    { title: 'run' },
  ];
  const rows = cells.map((cell) => [
    ...shown.cellsOf(cell.case),
    orDash(cell.medianStepMs === null ? null : cell.medianStepMs / 1000),
    intervalCell(cell.interval),
    orDash(cell.modelTflopsPerGpu),
    orDash(cell.gpuGiB),
    orDash(cell.hostGiB),
    outcomeText(cell),
    String(cell.runIds.length),
    cell.runId ?? '-',
  ]);
  return [longTable(columns, rows), ...intervalNotes(cells.map(({ interval }) => interval))].join('\n');
}

function outcomeText({ state, outcome, adopted, lost, variant, isBest }: CellReport): string {
  if (outcome === null) return state;
  const notes = [
    ...(state === 'left' || state === 'running' ? [state] : []),
    ...(variant === null ? [] : [variant.why]),
    ...(isBest ? ['counts'] : []),
    ...(adopted ? ['taken over'] : []),
    ...(lost > 0 && outcome === 'ok' ? [`${lost} lost`] : []),
  ];
  return notes.length === 0 ? outcome : `${outcome} (${notes.join(', ')})`;
}

function countsText({ total, done, failed, running, left, launches }: CampaignCounts): string {
  const parts = [
    `${total} cases: ${done} done`,
    ...(launches.total > total ? [`${launches.done} of ${launches.total} launches`] : []),
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(running === 0 ? [] : [`${running} running`]),
    ...(left === 0 ? [] : [`${left} left`]),
  ];
  return parts.join(', ');
}

function resumeCommand(name: string): string {
  return `superoffload campaign run ${name} --resume`;
}

export function statusText(status: CampaignStatus): string {
  const { name, experiment, createdUtc, launches, spentMs } = status;
  return [
    `campaign ${name}: ${stateText(status)}`,
    `experiment ${experiment}, begun ${createdUtc ?? '-'}, ${launches} runs, ${formatDuration(spentMs)} of runs`,
    reportsTable(status.cells),
    countsText(status.counts),
    ...(status.state === 'stopped' ? [`go on: ${resumeCommand(name)}`] : []),
  ].join('\n');
}

function stateText({ state, driverPid }: CampaignListing): string {
  return state === 'driven' && driverPid !== null ? `driven by pid ${driverPid}` : state;
}

export function campaignsTable(listings: readonly CampaignListing[]): string {
  if (listings.length === 0) return 'no campaigns yet; begin with: superoffload campaign run throughput';
  const columns: readonly Column[] = [
    { title: 'campaign' },
    { title: 'state' },
    { title: 'done', align: 'right' },
    { title: 'failed', align: 'right' },
    { title: 'cases', align: 'right' },
    { title: 'last active' },
    { title: 'experiment' },
  ];
  const rows = listings.map((listing) => [
    listing.name,
    stateText(listing),
    String(listing.counts.done),
    String(listing.counts.failed),
    String(listing.counts.total),
    listing.activeUtc ?? '-',
    listing.problem ?? listing.experiment,
  ]);
  return longTable(columns, rows);
}

export function cancelText({ name, dryRun, runIds, left }: CampaignCancel): string {
  const verb = dryRun ? 'would end' : 'ended';
  return [
    ...runIds.map((runId) => `${verb} ${runId}`),
    ...(runIds.length === 0 ? [`nothing of campaign ${name} is running`] : []),
    ...(left === 0 ? [] : [`${left} cases are left; go on: ${resumeCommand(name)}`]),
  ].join('\n');
}

function orDash(value: number | null): string {
  return value === null ? '-' : formatNumber(value);
}
