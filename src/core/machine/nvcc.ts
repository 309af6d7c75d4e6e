/**
 * @param text what `nvcc --version` prints.
 * @returns the release, `12.4`; null when there is none.
 */
export function parseNvccVersion(text: string): string | null {
  return /\brelease (\d+\.\d+)/.exec(text)?.[1] ?? null;
}
