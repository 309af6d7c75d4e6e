import { renderTable, type Column } from '../../adapters/table.ts';
import { rowCells, rowTitle, valueText, verdictLine } from '../../core/gate/output/words.ts';
import { gateRule, type GateReport, type GateRow } from '../../core/gate/report.ts';
import { percent } from '../../core/gate/decide.ts';
import { caseTitle } from '../../core/gate/gate-case.ts';
import type { ReferenceChange, UpdatePlan } from '../../core/gate/update.ts';
import { plainText, shownLine } from '../../core/text/plain.ts';

const columns: readonly Column[] = [
  { title: 'case' },
  { title: 'metric' },
  { title: 'reference', align: 'right' },
  { title: 'now', align: 'right' },
  { title: 'ratio (95% interval)', align: 'right' },
  { title: 'allowed', align: 'right' },
  { title: 'noise' },
  { title: 'launches', align: 'right' },
  { title: 'answer' },
];

/** Rows with good news may be many; those that need a look are all shown. */
const maxQuietRows = 40;

/** References that were not run are a line each up to this many; more are one line. */
const maxMissingRows = 3;

/** So many rows are more than one looks at with the verdict below them: it stands above them too. */
const shortTable = 5;

/** The table, what to do about each row that is not good, and the verdict last, where a log ends. */
export function gateText(report: GateReport): string {
  const missing = report.rows.filter(({ status }) => status === 'missing');
  const isFolded = missing.length > maxMissingRows;
  const loud = report.rows.filter((row) => !isQuiet(row) && !(isFolded && row.status === 'missing'));
  const quiet = report.rows.filter(isQuiet);
  const shown = [...loud, ...quiet.slice(0, maxQuietRows)];
  const rest = quiet.length - maxQuietRows;
  const lines = [
    ...(shown.length > shortTable ? [shownLine(verdictLine(report))] : []),
    ...(shown.length === 0 ? [] : [renderTable(columns, shown.map(cells))]),
    ...(rest > 0 ? [`and ${rest} more that passed (--json has all)`] : []),
    ...shown.filter(({ status }) => status !== 'pass').map(reasonLine),
    ...(isFolded ? [missingLine(missing)] : []),
    ...report.notes.map((note) => `note: ${shownLine(note)}`),
    `rule: ${gateRule}`,
    shownLine(verdictLine(report)),
  ];
  return plainText(lines.join('\n'));
}

function isQuiet({ status }: GateRow): boolean {
  return status === 'pass' || status === 'new';
}

/** A baseline of a whole campaign against one case of it: what was not run is no news. */
function missingLine(missing: readonly GateRow[]): string {
  const cases = new Set(missing.map((row) => caseTitle(row.case))).size;
  const hint = missing.find((row) => row.hint !== null)?.hint ?? null;
  const what = `missing: ${missing.length} references of ${cases} ${cases === 1 ? 'case' : 'cases'} (--json has all)`;
  const first = cases === 1 ? '' : 'the first: ';
  return hint === null ? what : `${what}\n    ${first}${shownLine(hint)}`;
}

function cells(row: GateRow): string[] {
  return [shownLine(caseTitle(row.case)), ...rowCells(row), row.status];
}

function reasonLine(row: GateRow): string {
  const next = row.hint === null ? '' : `\n    ${shownLine(row.hint)}`;
  return `${shownLine(`${row.status}: ${rowTitle(row)}: ${row.reason}`)}${next}`;
}

/** What an update would write: the old and the new value of each reference. */
export function updateText({ changes, next, writes }: UpdatePlan, path: string): string {
  const lines = changes.map(changeLine);
  const untouched = next.references.length - changes.filter(({ kind }) => kind !== 'refused').length;
  const refused = changes.filter(({ kind }) => kind === 'refused');
  return plainText(
    [
      ...lines,
      ...(untouched > 0 ? [`${untouched} references of cases that were not run stay as they are`] : []),
      ...(refused.length > 0
        ? [
            `nothing is written: ${refused.length} ${refused.length === 1 ? 'reference' : 'references'} would become worse`,
            '    if that is meant: --allow-looser',
          ]
        : [writes ? `${next.references.length} references: ${path}` : `${path}: nothing to change`]),
    ].join('\n'),
  );
}

function changeLine({ kind, before, after }: ReferenceChange): string {
  const { metric, case: subject, unit, provenance } = after;
  const runs = provenance?.runs.length ?? 0;
  const from = `of ${runs} ${runs === 1 ? 'run' : 'runs'}`;
  const value = valueText(after.value, unit);
  const title = shownLine(`${metric}: ${caseTitle(subject)}`);
  if (before === null) return `${mark(kind)} ${kind}: ${title}: ${value} ${from}`;
  const moved = `${valueText(before.value, unit)} -> ${value} (${percent(Math.log(after.value / before.value))}) ${from}`;
  const why = kind === 'kept' ? `${moved}: no more than the noise, the old one stays` : moved;
  return `${mark(kind)} ${kind}: ${title}: ${why}`;
}

function mark(kind: ReferenceChange['kind']): string {
  return { added: '+', tightened: '^', loosened: 'v', kept: '=', refused: '!' }[kind];
}
