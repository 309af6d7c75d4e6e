/** @returns the middle value, or the mean of the two middle ones; NaN of nothing */
export function median(values: ArrayLike<number>): number {
  return sortedQuantile(Float64Array.from(values).sort(), 0.5);
}

/**
 * @param sorted ascending
 * @param share 0 to 1
 * @returns the linearly interpolated quantile (R's type 7)
 */
export function sortedQuantile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)] ?? Number.NaN;
  const above = sorted[Math.ceil(position)] ?? Number.NaN;
  return below + (above - below) * (position - Math.floor(position));
}

/** Median absolute deviation times 1.4826: the standard deviation of a normal sample, blind to outliers. */
export function robustDeviation(values: ArrayLike<number>): number {
  const center = median(values);
  return 1.4826 * median(Float64Array.from(values, (value) => Math.abs(value - center)));
}
