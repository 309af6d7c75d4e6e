import type { ExpectedFailure } from './baseline.ts';
import type { GateCase } from './gate-case.ts';
import type { GateRow } from './report.ts';

/**
 * Excuses what was declared: a failed or regressed row becomes `expected` until the day; later it is what it is, and
 * says that the excuse is over. A row that passes although it was declared is said.
 * @param today `2026-12-31`, UTC
 */
export function excuse(
  rows: readonly GateRow[],
  declared: readonly ExpectedFailure[],
  today: string,
): { readonly rows: readonly GateRow[]; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const excused = rows.map((row) => {
    const found = declared.filter((each) => appliesTo(each, row));
    const current = found.find(({ until }) => today <= until) ?? found[0];
    if (current === undefined) return row;
    const { reason, until } = current;
    if (row.status !== 'failed' && row.status !== 'regression') return row;
    if (today > until)
      return {
        ...row,
        reason: `${row.reason}; it was expected until ${until} (${reason}): that day is over`,
      };
    return {
      ...row,
      status: 'expected' as const,
      reason: `${row.reason}; expected until ${until}: ${reason}`,
    };
  });
  for (const each of declared) {
    const touched = rows.filter((row) => appliesTo(each, row));
    const name = `expected failure ${JSON.stringify(each.case)} (${each.reason})`;
    const passes =
      touched.length > 0 && touched.every(({ status }) => status === 'pass' || status === 'improved');
    if (passes) notes.push(`${name}: it passes now; take it out of the baseline`);
    else if (touched.length === 0) notes.push(`${name}: no reference and no run is of this case`);
    else if (today > each.until) notes.push(`${name}: it was excused until ${each.until}; it no longer is`);
  }
  return { rows: excused, notes };
}

function appliesTo(declared: ExpectedFailure, row: GateRow): boolean {
  if (declared.metric !== undefined && row.metric !== null && declared.metric !== row.metric) return false;
  return Object.entries(declared.case).every(([name, value]) => row.case[name as keyof GateCase] === value);
}
