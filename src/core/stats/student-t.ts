/** 97.5% quantiles of Student's t for 1 to 30 degrees of freedom (any table, for example NIST/SEMATECH 1.3.6.7.2). */
const table = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];

/** @param degrees at least 1; beyond 30 by the first terms of Cornish and Fisher's expansion (error below 1e-3) */
export function studentT975(degrees: number): number {
  const normal = 1.959964;
  return table[degrees - 1] ?? normal + (normal ** 3 + normal) / (4 * degrees);
}

/** @returns mean and half width of its 95% interval; needs two values or more */
export function meanInterval(values: readonly number[]): { mean: number; halfWidth: number } {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (count - 1));
  return { mean, halfWidth: (studentT975(count - 1) * deviation) / Math.sqrt(count) };
}
