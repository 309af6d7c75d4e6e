import type { Column } from '../../adapters/table.ts';
import { describePlan } from '../../core/plan/describe.ts';
import { wallTitles } from '../../core/search/verdict.ts';
import { edgeOf, type AxisSearch, type FrontierPlan } from '../../workflows/frontier/frontier.ts';
import { firstCandidate } from '../../workflows/frontier/run-search.ts';
import type { PointReport, RowReport } from '../../workflows/frontier/report.ts';
import { formatCount, formatNumber } from './format.ts';
import { resultTable } from './result-table.ts';

/** What tells one candidate from the next, and what a row says of the largest that ran. */
export interface FrontierColumns {
  readonly what: string;
  readonly columns: readonly (Column & { readonly cell: (point: PointReport) => string })[];
}

const memoryColumns: FrontierColumns['columns'] = [
  { title: 'GPU GiB', align: 'right', cell: (point) => peak(point.gpuGiB, point.gpuCapacityGiB) },
  { title: 'host GiB', align: 'right', cell: (point) => peak(point.hostGiB, point.hostCapacityGiB) },
];

export const sizeColumns: FrontierColumns = {
  what: 'size',
  columns: [
    { title: 'parameters', align: 'right', cell: ({ parameters }) => formatCount(parameters) },
    { title: 'layers x hidden', align: 'right', cell: ({ layers, hidden }) => `${layers} x ${hidden}` },
    ...memoryColumns,
  ],
};

export const lengthColumns: FrontierColumns = {
  what: 'sequence',
  columns: [
    { title: 'model', cell: ({ model }) => model },
    { title: 'MFU', align: 'right', cell: ({ mfu }) => (mfu === null ? '-' : `${(mfu * 100).toFixed(1)}%`) },
    { title: 'TFLOPS', align: 'right', cell: ({ modelTflopsPerGpu }) => orDash(modelTflopsPerGpu) },
    ...memoryColumns,
  ],
};

/** The edge of each mode. */
export function searchTable(plan: FrontierPlan, rows: readonly RowReport[], show: FrontierColumns): string {
  const table = resultTable(
    [
      { title: 'mode' },
      { title: `largest ${show.what} that ran` },
      ...show.columns,
      { title: 'smallest that failed' },
      { title: 'of what' },
      { title: 'launches', align: 'right' },
    ],
    rows.map((row) => [
      row.mode,
      row.largestRan?.name ?? (row.stopped === null ? 'none' : '-'),
      ...show.columns.map(({ cell }) => (row.largestRan === null ? '-' : cell(row.largestRan))),
      row.smallestFailed?.name ?? (row.stopped === null ? 'none' : '-'),
      row.smallestFailed === null ? '-' : verdictCell(row.smallestFailed),
      `${row.launches}${row.stored > 0 ? ` + ${row.stored} stored` : ''}`,
    ]),
  );
  return [...functional(plan), table, ...rows.flatMap(rowNotes), ...skippedNotes(plan)].join('\n');
}

/** Each size or length that was given: whether it fits. */
export function givenTable(
  plan: FrontierPlan,
  points: readonly (PointReport & { readonly mode: string })[],
  show: FrontierColumns,
): string {
  const table = resultTable(
    [{ title: 'mode' }, { title: show.what }, ...show.columns, { title: 'fits' }],
    points.map((point) => [
      point.mode,
      point.name,
      ...show.columns.map(({ cell }) => cell(point)),
      point.verdict === 'ran' ? 'yes' : point.verdict === null ? 'not known' : `no: ${verdictCell(point)}`,
    ]),
  );
  const unknown = points
    .filter(({ verdict }) => verdict === null)
    .map(
      (point) => `${point.mode} ${point.name}: ${point.reason}; log: superoffload runs logs ${point.runId}`,
    );
  return [...functional(plan), table, ...unknown, ...skippedNotes(plan)].join('\n');
}

/** Candidates with what each is predicted to need, and the launch that would be the first. */
export function frontierDryRun(plan: FrontierPlan, show: FrontierColumns): string {
  return [
    ...plan.notes,
    ...plan.searches.map((search) => searchText(plan, search, show)),
    ...skippedNotes(plan),
  ].join('\n\n');
}

function searchText(plan: FrontierPlan, search: AxisSearch, { what }: FrontierColumns): string {
  const found = edgeOf(plan, search.cases);
  const table = resultTable(
    [
      { title: what },
      { title: 'GPU GiB', align: 'right' },
      { title: 'host GiB', align: 'right' },
      { title: 'predicted' },
    ],
    search.cases.map((subject) => {
      const { memory, capacity, fits, wall } = plan.predict(subject);
      return [
        plan.nameOf(subject),
        peak(capacity.gpuGiB === null ? null : memory.gpuGiB, capacity.gpuGiB),
        peak(memory.hostGiB, capacity.hostGiB),
        fits ? 'fits' : `too large for ${wall === 'gpu' ? 'the GPU' : 'the host'}`,
      ];
    }),
  );
  const best = search.cases[found.predicted];
  const edge = `${search.mode}: predicted ${best === undefined ? 'that none fits' : plan.nameOf(best)}`;
  const first = plan.isGiven ? null : firstCandidate({ cases: search.cases, ...found });
  const { plans } = plan.planning.planCases(first === null ? search.cases : [first]);
  const launches = plan.isGiven ? 'launches' : 'first launch';
  return [edge, table, `${launches}:`, ...plans.map(describePlan)].join('\n');
}

function rowNotes(row: RowReport): string[] {
  const { mode, stopped, contradicted, confirmed, smallestFailed, predicted, runs } = row;
  const last = runs.at(-1);
  return [
    ...(stopped === null
      ? []
      : [
          `${mode}: stopped: ${stopped}${last === undefined ? '' : `; log: superoffload runs logs ${last.runId}`}`,
        ]),
    ...contradicted.map((name) => `${mode}: ${name} ran out of memory in one launch and ran in another`),
    ...(stopped === null && confirmed === false && smallestFailed !== null
      ? [`${mode}: ${smallestFailed.name} failed once only`]
      : []),
    `${mode}: predicted ${predicted ?? 'that none fits'}`,
  ];
}

function skippedNotes({ skipped }: FrontierPlan): string[] {
  return skipped.map(({ case: { mode }, reason }) => `not run: ${mode}: ${reason}`);
}

function functional({ planning }: FrontierPlan): string[] {
  return planning.system.accelerator === 'cpu'
    ? ['FUNCTIONAL: CPU ranks; these walls say nothing about a GPU']
    : [];
}

function verdictCell({ verdict, outcome }: PointReport): string {
  return verdict === null || verdict === 'ran' ? outcome : wallTitles[verdict];
}

/** `71.2 of 139.0`: the peak, and what there is. */
function peak(used: number | null, capacity: number | null): string {
  if (used === null) return '-';
  return capacity === null ? used.toFixed(1) : `${used.toFixed(1)} of ${capacity.toFixed(1)}`;
}

function orDash(value: number | null): string {
  return value === null ? '-' : formatNumber(value);
}
