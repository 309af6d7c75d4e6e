import type { FigureData, Mark } from '../figures/figure-data.ts';
import { formatNumber } from '../text/format.ts';
import { shownLine } from '../text/plain.ts';

/** Plain JSON. */
type Spec = Readonly<Record<string, unknown>>;

/**
 * The same picture whose bars and points say in words what they are: value, interval, source, runs. Vega writes that as
 * `aria-label`, which screen readers read and the page's script shows beside the pointer.
 */
export function withHover(spec: Spec, data: FigureData): Spec {
  const words = new Map<string, string[]>();
  const titles = new Map(data.series.map(({ key, title }) => [key, title]));
  const panels = new Map(data.panels.map(({ key, title }) => [key, title]));
  for (const mark of data.marks) {
    if (mark.value === null) continue;
    const series = titles.get(mark.series) ?? mark.series;
    const key = keyOf(mark.x, series, mark.source, mark.value);
    const said = words.get(key) ?? [];
    words.set(key, [...said, wordsOf(mark, data, series, panels.get(mark.panel) ?? '')]);
  }
  return walk(spec, (row) => words.get(keyOf(row['x'], row['series'], row['source'], row['value']))) as Spec;
}

/** A picture's numbers have six digits (core/figures/render/plot.ts). */
function keyOf(x: unknown, series: unknown, source: unknown, value: unknown): string {
  return JSON.stringify([x, series, source, typeof value === 'number' ? Number(value.toPrecision(6)) : null]);
}

function wordsOf(mark: Mark, { unit }: FigureData, series: string, panel: string): string {
  const { value, low, high, basis, source, runIds, notes, x } = mark;
  const what = [panel, x].filter((part) => part !== '').join(', ');
  const parts = [
    `${series}, ${what}`,
    `${formatNumber(value ?? Number.NaN)} ${unit}`,
    low !== null &&
      high !== null &&
      `${formatNumber(low)} to ${formatNumber(high)}${basis === null ? '' : ` (${basis})`}`,
    source === 'published' ? 'published in the paper' : source,
    ...notes,
    runIds.length > 0 &&
      `runs: ${runIds.slice(-3).join(', ')}${runIds.length > 3 ? `, ${runIds.length - 3} more` : ''}`,
  ];
  return parts
    .filter((part) => part !== false)
    .map((part) => shownLine(part, 300))
    .join('; ');
}

const symbolic = new Set(['bar', 'point']);

/** Layers of bars and points whose rows are marks of the figure get a description for each. */
function walk(value: unknown, wordsFor: (row: Spec) => readonly string[] | undefined): unknown {
  if (Array.isArray(value)) return value.map((each) => walk(each, wordsFor));
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Spec;
  const mark = fields['mark'] as { readonly type?: unknown } | undefined;
  const rows = (fields['data'] as { readonly values?: unknown } | undefined)?.values;
  if (symbolic.has(String(mark?.type)) && Array.isArray(rows)) {
    const values = (rows as readonly Spec[]).map((row) => ({ ...row, tip: wordsFor(row)?.join('; or ') }));
    if (!values.some(({ tip }) => tip !== undefined)) return value;
    const encoding = {
      ...(fields['encoding'] as Spec | undefined),
      description: { field: 'tip', type: 'nominal' },
    };
    return { ...fields, data: { values }, mark: { ...mark, aria: true }, encoding };
  }
  return Object.fromEntries(
    Object.entries(fields).map(([name, each]) => [name, name === 'usermeta' ? each : walk(each, wordsFor)]),
  );
}
