import Table from 'cli-table3';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Its text may be cut where a terminal is too narrow: what is lost is said elsewhere. */
  readonly cut?: true;
}

/**
 * Renders a plain-text table. Colour and frames are never drawn here: cli-table3 colours its frame even on a
 * pipe and with NO_COLOR unless `style` says otherwise (seen with 0.6.5).
 */
export function renderTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const none = '';
  const table = new Table({
    head: columns.map((column) => column.title),
    colAligns: columns.map((column) => column.align ?? 'left'),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 2 },
    chars: {
      top: none,
      'top-mid': none,
      'top-left': none,
      'top-right': none,
      bottom: none,
      'bottom-mid': none,
      'bottom-left': none,
      'bottom-right': none,
      left: none,
      'left-mid': none,
      mid: none,
      'mid-mid': none,
      right: none,
      'right-mid': none,
      middle: none,
    },
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString().replace(/[ \t]+$/gm, '');
}
