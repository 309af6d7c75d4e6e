import { figureNumbers } from '../../core/figures/figure-data.ts';
import { vegaLiteSpec } from '../../core/figures/render/page/spec.ts';
import { withHover } from '../../core/report/hover.ts';
import type { DrawnFigure } from '../../core/report/page/figures.ts';
import type { RecordSet } from '../../core/results/record-set.ts';
import type { Context } from '../context.ts';
import { figuresOf } from '../figure/build-figures.ts';

/** The paper's figures of which at least one place was run; the others would show no more than the paper does. */
export async function drawFigures(context: Context, set: RecordSet): Promise<DrawnFigure[]> {
  const request = { figures: figureNumbers, paper: true, predicted: true };
  const { figures } = await figuresOf(context, { ...set, notes: [] }, request);
  const run = figures.filter(({ marks }) => marks.some(({ runIds }) => runIds.length > 0));
  if (run.length === 0) return [];
  const { drawSvg } = await import('../../adapters/figure.ts');
  const drawn: DrawnFigure[] = [];
  for (const data of run) {
    context.signal.throwIfAborted();
    drawn.push({ data, svg: await drawSvg(withHover(vegaLiteSpec(data), data)) });
  }
  return drawn;
}
