import type { FigureScene } from '../scene.ts';
import type { Mark } from '../../figure-data.ts';
import { markOf } from '../../marks/marks.ts';
import type { PaperValue } from '../paper.ts';
import type { PlannedPanel, XPlace } from '../panels.ts';

/** The paper's own cells, as it published them. */
export function publishedMarks({ panels, paperFile, series }: FigureScene): Mark[] {
  const keys = new Set(series.map(({ key }) => key));
  return panels.flatMap((planned) =>
    Object.entries(planned.paper?.series ?? {}).flatMap(([name, values]) => {
      const key = Object.hasOwn(paperFile.modes, name) ? (paperFile.modes[name] ?? name) : name;
      return keys.has(key)
        ? planned.places.flatMap((place) => publishedMark(planned, place, key, values) ?? [])
        : [];
    }),
  );
}

function publishedMark(
  { panel }: PlannedPanel,
  { x, printed }: XPlace,
  series: string,
  values: readonly PaperValue[],
): Mark | null {
  const value = printed === null ? undefined : values[printed.index];
  if (printed === null || value === undefined) return null;
  const at = { panel: panel.key, series, x, source: 'published' } as const;
  const notes = printed.text === x ? [] : [`the paper prints ${printed.text}`];
  if (value === null) return markOf({ ...at, state: 'not-drawn' });
  return value === 'OOM'
    ? markOf({ ...at, state: 'oom' }, { notes })
    : markOf({ ...at, state: 'value' }, { value, notes });
}
