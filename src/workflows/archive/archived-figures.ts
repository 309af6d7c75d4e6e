import { figureNumbers, type FigureData } from '../../core/figures/figure-data.ts';
import type { FoundRecord } from '../../core/results/record-set.ts';
import type { Context } from '../context.ts';
import { itemOf, type ArchiveItem } from './archive-items.ts';

/**
 * The data of the figures that runs can draw: numbers for whoever opens the archive without this tool, which draws them
 * anew from the records.
 */
export async function archivedFigures(
  context: Context,
  records: readonly FoundRecord[],
): Promise<readonly ArchiveItem[]> {
  // What an export without them does not need is not loaded.
  const { figuresOf } = await import('../figure/build-figures.ts');
  const request = { figures: figureNumbers, paper: true, predicted: true };
  const { figures } = await figuresOf(context, { records, notes: [] }, request);
  const newest = Math.max(...records.map(({ record }) => Math.floor(Date.parse(record.startedUtc) / 1000)));
  const names = new Set<string>();
  return figures.filter(isMeasured).map((figure) => {
    const path = freeName(`figures/figure-${figure.figure}-${pathWord(figure.system.name)}`, names);
    return itemOf(path, `${JSON.stringify(figure, null, 2)}\n`, newest);
  });
}

/** A figure of the paper's and of predictions alone says nothing about the runs. */
function isMeasured({ marks }: FigureData): boolean {
  return marks.some(({ runIds }) => runIds.length > 0);
}

function pathWord(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]+/g, '_').slice(0, 80);
}

/** Two systems may differ by letters alone that no path takes. */
function freeName(base: string, names: Set<string>): string {
  let name = `${base}.json`;
  for (let index = 2; names.has(name.toLowerCase()); index += 1) name = `${base}-${index}.json`;
  names.add(name.toLowerCase());
  return name;
}
