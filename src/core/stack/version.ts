/**
 * Orders the release parts of two versions: `2.11.0+cu130` and `2.11.0rc1` count as 2.11.0, `0.18` as 0.18.0.
 * @returns negative: `a` is older; 0: neither; positive: `a` is newer.
 */
export function versionOrder(a: string, b: string): number {
  const parts = (version: string): number[] =>
    (/^\d+(\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
  const [left, right] = [parts(a), parts(b)];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
