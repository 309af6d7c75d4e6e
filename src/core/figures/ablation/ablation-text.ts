import { groupBy } from '../../collections/group-by.ts';
import { csvText } from '../../text/csv.ts';
import { formatNumber } from '../../text/format.ts';
import { markdownTable, markdownText } from '../../text/markdown.ts';
import { figureTitle, type MarkRatio } from '../figure-data.ts';
import { ratioText, stateText } from '../render/text/mark-words.ts';
import { figureFacts } from '../render/text/text.ts';
import type { AblationData, AblationRow } from './ablation-data.ts';

/** An ablation in words: the numbers of the picture, with step times, memory and settings beside them. */

/** The heads of a table's columns. */
export const ablationHeads = [
  'setting',
  'mode',
  'DeepSpeed keys',
  's/step',
  'TFLOPS',
  'interval',
  'times the first',
  'GPU GiB',
  'host GiB',
  'predicted',
  'paper, Table 2',
  'notes',
] as const;

/** Rows of one table: a size and group. */
interface AblationTable {
  readonly title: string;
  readonly rows: readonly AblationRow[];
}

export function ablationTables({ rows }: AblationData): AblationTable[] {
  const groups = groupBy(rows, ({ model, group }) => JSON.stringify([model, group]));
  return [...groups.values()].map((own) => {
    const [first] = own;
    return { title: first === undefined ? '' : `${first.model}: ${first.group}`, rows: own };
  });
}

/** The cells of a row as text; `–` where there is nothing. */
export function ablationCells(row: AblationRow): string[] {
  const { title, mode, deepspeed, stepMs, tflops, low, high, gpuGiB, hostGiB, predicted, published, notes } =
    row;
  const keys = Object.entries(deepspeed).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  return [
    ...[title, mode, keys.join(' ') || none],
    stepMs === null ? none : (stepMs / 1000).toFixed(3),
    tflops === null ? wordOf(row) : formatNumber(tflops),
    low === null || high === null ? none : `${formatNumber(low)} to ${formatNumber(high)}`,
    row.ratio === null ? none : ratioText(row.ratio),
    ...[gpuGiB, hostGiB].map((gib) => (gib === null ? none : gib.toFixed(1))),
    predicted === null ? none : formatNumber(predicted),
    published === null
      ? none
      : `${published.name}: ${formatNumber(published.tflops)}, ${ratioText(bare(published))}`,
    notes.join('; ') || none,
  ];
}

const none = '\u2013';

function bare({ ratio }: NonNullable<AblationRow['published']>): MarkRatio {
  return { value: ratio, low: null, high: null };
}

function wordOf({ state }: AblationRow): string {
  return state === 'oom' ? 'OOM' : stateText({ state, wall: null });
}

/** Markdown: the facts, a table for each panel, the footnotes. */
export function ablationMarkdown(data: AblationData): string {
  const { picture } = data;
  const parts = [
    `## ${markdownText(figureTitle(picture))}`,
    ...figureFacts(picture).map((fact) => markdownText(fact)),
    ...ablationTables(data).flatMap(({ title, rows }) => [
      `### ${markdownText(title)}`,
      markdownTable(
        ablationHeads,
        rows.map((row) => ablationCells(row).map((cell) => markdownText(cell))),
      ).trimEnd(),
    ]),
    picture.footnotes.map((note) => `- ${markdownText(note)}`).join('\n'),
  ];
  return `${parts.join('\n\n')}\n`;
}

const csvHead = ['model', 'group', 'setting', 'mode', 'deepspeed', 'state', 'step_ms', 'tflops', 'low', 'high', 'interval', 'ratio', 'ratio_low', 'ratio_high', 'gpu_gib', 'host_gib', 'predicted_tflops', 'paper_row', 'paper_tflops', 'paper_ratio', 'runs', 'notes']; // prettier-ignore

/** CSV: a line for each row, numbers whole. */
export function ablationCsv({ rows }: AblationData): string {
  return csvText(
    csvHead,
    rows.map((row) => [
      ...[row.model, row.group, row.title, row.mode, JSON.stringify(row.deepspeed), row.state],
      ...[row.stepMs, row.tflops, row.low, row.high, row.basis],
      ...[row.ratio?.value ?? null, row.ratio?.low ?? null, row.ratio?.high ?? null],
      ...[row.gpuGiB, row.hostGiB, row.predicted],
      ...[row.published?.name ?? null, row.published?.tflops ?? null, row.published?.ratio ?? null],
      ...[row.runIds.join(' '), row.notes.join('; ')],
    ]),
  );
}
