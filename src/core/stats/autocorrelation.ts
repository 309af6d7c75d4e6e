/**
 * Lag-1 autocorrelation of the values' ranks, so that one outlier decides nothing (Spearman), corrected for the
 * bias of short series: E[r] is about rho - (1 + 3 rho) / n (Marriott and Pope 1954, Kendall 1954).
 * @returns 0 to 0.95; negative correlation counts as none, because it would only make intervals narrower
 */
export function autocorrelation(values: ArrayLike<number>): number {
  const count = values.length;
  if (count < 4) return 0;
  const ranks = rank(values);
  const center = (count + 1) / 2;
  let lagged = 0;
  let variance = 0;
  for (let index = 0; index < count; index += 1) {
    const deviation = (ranks[index] ?? 0) - center;
    variance += deviation * deviation;
    if (index > 0) lagged += deviation * ((ranks[index - 1] ?? 0) - center);
  }
  if (variance === 0) return 0;
  const raw = lagged / variance;
  const corrected = (raw + 1 / count) / Math.max(0.1, 1 - 3 / count);
  return Math.min(0.95, Math.max(0, corrected));
}

/**
 * Independent samples that are worth as much as these: n (1 - rho) / (1 + rho), exact for the mean of an
 * autoregressive series of order 1 and on the safe side for its median, whose signs correlate less.
 */
export function effectiveSamples(values: ArrayLike<number>): number {
  const rho = autocorrelation(values);
  return (values.length * (1 - rho)) / (1 + rho);
}

/** Ranks from 1, equal values share the mean of theirs. */
function rank(values: ArrayLike<number>): Float64Array {
  const numbers = Float64Array.from(values);
  const order = Uint32Array.from(numbers, (_, index) => index).sort(
    (a, b) => (numbers[a] ?? 0) - (numbers[b] ?? 0),
  );
  const ranks = new Float64Array(numbers.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && numbers[order[end] ?? 0] === numbers[order[start] ?? 0]) end += 1;
    for (let index = start; index < end; index += 1) ranks[order[index] ?? 0] = (start + end + 1) / 2;
    start = end;
  }
  return ranks;
}
