import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Emit } from './events.ts';

/** The ports of every workflow as a plain object: what a test replaces, and nothing else. */
export interface Context {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The folder the user stands in. */
  readonly cwd: string;
  /** The state folder, absolute: `SUPEROFFLOAD_HOME`, else `.superoffload` in `cwd`. */
  readonly home: string;
  /** Where this package lies: experiment data and the trainer are read from here. */
  readonly packageRoot: string;
  readonly emit: Emit;
  /** Aborted on the first Ctrl-C or SIGTERM; its reason is a SuperOffloadError. */
  readonly signal: AbortSignal;
  /** Aborted on the second one: whatever was started is killed at once, in the abort event itself. */
  readonly force: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** @returns the context of a real program run. */
export function createContext(emit: Emit, signal: AbortSignal, force: AbortSignal): Context {
  const cwd = process.cwd();
  return {
    env: process.env,
    cwd,
    // An empty variable is an unset one, as in a shell's ${NAME:-default}.
    home: resolve(cwd, process.env['SUPEROFFLOAD_HOME'] || '.superoffload'),
    packageRoot: packageRoot(),
    emit,
    signal,
    force,
    now: Date.now,
  };
}

/** Where this package lies. */
export function packageRoot(): string {
  return realpathSync(fileURLToPath(new URL('../..', import.meta.url)));
}

/** Now, as journals and locks write it: ISO 8601, UTC. */
export function utcNow(context: Pick<Context, 'now'>): string {
  return new Date(context.now()).toISOString();
}

/** An event before its time is known; of a union, each of its kinds. */
export type Unstamped<T> = T extends unknown ? Omit<T, 'utc'> : never;
