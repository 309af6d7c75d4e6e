import type { Mark, Series } from '../../figure-data.ts';

/** Values of one series, by panel and place. */
type Values = ReadonlyMap<string, number>;

/**
 * Where the prediction puts two of a figure's modes in the other order than the paper does. The prediction knows
 * DeepSpeed as it was measured on H200 GPUs (bench/predict.md), not the authors' own build on a superchip: a reader
 * who sees both must not take one for a confirmation of the other.
 */
export function reversedOrderNotes(series: readonly Series[], marks: readonly Mark[]): string[] {
  const [predicted, published] = [valuesOf(marks, 'predicted', series), valuesOf(marks, 'published', series)];
  return series.flatMap(({ title }, i) =>
    series.slice(i + 1).flatMap((other, j) => {
      const [mine, its] = [predicted[i], predicted[i + 1 + j]];
      const [paperMine, paperIts] = [published[i], published[i + 1 + j]];
      if (mine === undefined || its === undefined || paperMine === undefined || paperIts === undefined)
        return [];
      const places = [...mine.keys()].filter((at) => its.has(at) && paperMine.has(at) && paperIts.has(at));
      const reversed = places.filter((at) => order(mine, its, at) * order(paperMine, paperIts, at) < 0);
      if (reversed.length === 0 || reversed.length * 2 <= places.length) return [];
      return [
        `Predicted against the paper's order: ${title} and ${other.title}, in ${reversed.length} of ${places.length} places. The prediction knows DeepSpeed as measured on H200 GPUs.`,
      ];
    }),
  );
}

function order(a: Values, b: Values, at: string): number {
  return Math.sign((a.get(at) ?? 0) - (b.get(at) ?? 0));
}

function valuesOf(marks: readonly Mark[], source: Mark['source'], series: readonly Series[]): Values[] {
  return series.map(
    ({ key }) =>
      new Map(
        marks.flatMap((mark): [string, number][] =>
          mark.series === key && mark.source === source && mark.value !== null
            ? [[`${mark.panel}\n${mark.x}`, mark.value]]
            : [],
        ),
      ),
  );
}
