import { removeLeftovers } from '../adapters/leftovers.ts';
import type { Context } from './context.ts';

/** Removes what a killed command left beside `path`; what may be somebody's who still writes is named. */
export async function sweepLeftovers(context: Context, path: string): Promise<void> {
  for (const each of await removeLeftovers(path)) context.emit({ type: 'note', message: leftBehind(each) });
}

/** @param path what was found */
export function leftBehind(path: string): string {
  return `${path} was left by a command on another machine or before a restart: remove it once nothing writes to it`;
}
