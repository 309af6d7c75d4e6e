import { groupBy } from '../../collections/group-by.ts';
import { canonicalJson } from '../../experiment/case-id.ts';
import type { Case } from '../../experiment/case.ts';
import type { ExperimentFile } from '../../experiment/experiment-file.schema.ts';
import type { ModelTable } from '../../experiment/model-names.ts';
import { rowCases, type RowCase } from '../../experiment/row-cases.ts';
import type { Panel } from '../figure-data.ts';

/** Where a row stands in the picture. */
export interface AblationPlace extends RowCase {
  /** Key of its panel: size and group. */
  readonly panel: string;
  readonly group: string;
  /** The first of its panel. */
  readonly baseline: Case;
}

/** All rows of an ablation, in the order in which they are drawn: a panel for each size and group. */
export function ablationPlaces(
  experiment: ExperimentFile,
  accelerator: 'cuda' | 'cpu',
  models: ModelTable,
): AblationPlace[] {
  const rows = rowCases(experiment, accelerator, models).map((each) => {
    const group = each.row.group ?? experiment.title;
    return { ...each, group, panel: JSON.stringify([each.subject.model.name, group]) };
  });
  return [...groupBy(rows, ({ panel }) => panel).values()].flatMap((own) =>
    own.map((place) => ({ ...place, baseline: own[0]?.subject ?? place.subject })),
  );
}

/** @param places of one panel */
export function panelOf(key: string, places: readonly AblationPlace[]): Panel {
  const [first] = places;
  const words = first === undefined ? [] : [first.subject.model.name, first.group];
  return {
    key,
    title: words.join(': '),
    chips: first?.subject.chips ?? null,
    xTitle: '',
    x: places.map(({ row }) => row.title),
    inPaper: places.some(({ row }) => row.published !== undefined),
  };
}

/** What decides what is computed, and how fast: whatever experiment asked for it, and for however many steps. */
export function settingKey({ model, ...subject }: Case): string {
  const { layers, hidden, heads, paddedVocabulary } = model;
  const size = [layers, hidden, heads, paddedVocabulary];
  return canonicalJson({ ...subject, experiment: '', steps: 0, seed: 0, model: size });
}
