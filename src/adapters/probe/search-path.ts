import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

type Env = Readonly<Record<string, string | undefined>>;

/** @returns every executable file of that name on PATH, first one first. */
export function findAllOnPath(name: string, env: Env): string[] {
  return (env['PATH'] ?? '')
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, name))
    .filter(isExecutable);
}

/** @returns the executable a shell would run; being there does not mean that it works. */
export function findOnPath(name: string, env: Env): string | undefined {
  return findAllOnPath(name, env)[0];
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
