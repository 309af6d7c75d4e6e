import { differencesFromPaper } from './notes/differences.ts';
import type { FigureData, FigureNumber, Mark } from '../figure-data.ts';
import { footnotesOf } from './notes/footnotes.ts';
import { measuredMarks } from './cells/measured-cells.ts';
import { predictedMarks } from './cells/predicted-cells.ts';
import { publishedMarks } from './cells/published-marks.ts';
import { reversedOrderNotes } from './notes/reversed-order.ts';
import { hasPaper, sceneOf, type FigureInputs, type FigureScene } from './scene.ts';

const titles = {
  10: 'Throughput on one chip',
  11: 'Throughput on several chips',
  12: 'Sequence length and MFU',
  13: 'Largest trainable model',
} as const satisfies Record<FigureNumber, string>;

const units = {
  tflops: 'TFLOPS per GPU, recomputation excluded',
  mfu: 'MFU percent',
  tokens: 'tokens per second, all chips',
  billions: 'billion parameters',
} as const satisfies Record<FigureScene['unit'], string>;

/** On CPUs there is no GPU to divide by. */
function unitText({ functional, unit }: FigureScene): string {
  if (!functional) return units[unit];
  return unit === 'billions'
    ? 'million parameters'
    : units[unit].replace('per GPU', 'per CPU rank').replace('all chips', 'all ranks');
}

/**
 * One figure of one machine: its runs, what is predicted of it, and what the paper published, each mark from one of the
 * three. What may not stand beside the rest is left out and told of.
 * @returns null where there is nothing to draw
 */
export function buildFigure(inputs: FigureInputs): FigureData | null {
  const { figure, system, tool, showPredicted } = inputs;
  const { scene, rest } = sceneOf(inputs);
  const { functional } = scene;
  const measured = measuredMarks(scene);
  const predicted = showPredicted && !functional ? predictedMarks(scene) : [];
  const published = hasPaper(scene) ? publishedMarks(scene) : [];
  const marks = [...measured.marks, ...predicted, ...published];
  if (!marks.some(({ state }) => state !== 'not-run' && state !== 'not-drawn')) return null;
  const leftOut = [...rest.leftOut, ...measured.leftOut];
  const series = seriesWithMarks(scene, marks);
  return {
    ...{ schemaVersion: 1, figure, title: titles[figure], unit: unitText(scene) },
    shape: figure === 12 ? 'lines' : 'bars',
    system: { name: system.name, title: system.title },
    functional,
    panels: panelsWithMarks(scene, marks),
    series,
    marks,
    differences: hasPaper(scene) ? differencesFromPaper(scene) : [],
    footnotes: [
      ...footnotesOf(scene, { marks, leftOut, faulty: rest.faulty }),
      ...reversedOrderNotes(series, marks),
    ],
    tool,
  };
}

function panelsWithMarks({ panels }: FigureScene, marks: readonly Mark[]): FigureData['panels'] {
  const drawn = new Set(marks.map((mark) => mark.panel));
  return panels.map(({ panel }) => panel).filter(({ key }) => drawn.has(key));
}

function seriesWithMarks({ series }: FigureScene, marks: readonly Mark[]): FigureData['series'] {
  const drawn = new Set(marks.map((mark) => mark.series));
  return series.filter(({ key }) => drawn.has(key)).map(({ key, title }) => ({ key, title }));
}
