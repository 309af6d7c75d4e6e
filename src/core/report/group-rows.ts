import type { RunRow } from './report-data.ts';

/** Map.groupBy, which Node 20 does not have: groups in the order in which they first came. */
export function groupRows(rows: readonly RunRow[], keyOf: (row: RunRow) => string): Map<string, RunRow[]> {
  const groups = new Map<string, RunRow[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}
