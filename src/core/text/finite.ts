/** JSON may hold 1e999, and a file of somebody else's a word where a number should be. */
export function finite(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
