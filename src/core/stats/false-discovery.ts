/**
 * P values of a family of tests, raised so that comparing each with q holds the false discovery rate at q, and where
 * nothing changed anywhere the chance of even one false alarm in the whole family (Benjamini and Hochberg 1995; for
 * tests that err in the same direction together, as those of one machine do, Benjamini and Yekutieli 2001).
 * A correction for the whole family by its size alone (Bonferroni) would hide what slowed every case down.
 * @returns in the order given
 */
export function adjustedPValues(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => (values[b] ?? 0) - (values[a] ?? 0));
  const adjusted = [...values];
  let smallest = 1;
  order.forEach((index, place) => {
    const rank = values.length - place;
    smallest = Math.min(smallest, ((values[index] ?? 1) * values.length) / rank);
    adjusted[index] = smallest;
  });
  return adjusted;
}
