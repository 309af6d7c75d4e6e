import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { PythonCandidate, PythonFacts } from '../../core/stack/python.ts';
import { capture } from '../exec.ts';
import { findAllOnPath, isExecutable } from './search-path.ts';

type Env = Readonly<Record<string, string | undefined>>;

const names = ['python3', 'python', 'python3.12', 'python3.11', 'python3.10', 'python3.13', 'python3.14'];

/**
 * Runs the program that makes a Python describe itself.
 * @param withPackages also lists its packages and its torch build.
 * @returns facts, or why it does not count: a shim on PATH may answer 127, a stub may open a shop.
 */
export async function inspectPython(
  command: string,
  options: {
    readonly env: Env;
    readonly program: string;
    readonly withPackages: boolean;
    readonly signal?: AbortSignal;
  },
): Promise<PythonCandidate> {
  const args = options.withPackages ? ['--packages'] : [];
  const result = await capture([command, options.program, ...args], {
    env: { ...options.env, PYTHONNOUSERSITE: '1' },
    timeoutMs: 30_000,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const line = result.stdout.trim().split('\n').at(-1) ?? '';
  if (result.exitCode === 0 && line.startsWith('{')) {
    return { command, facts: JSON.parse(line) as PythonFacts, problem: null };
  }
  const said = result.startError ?? result.stderr.trim().split('\n')[0] ?? '';
  const how = result.timedOut ? 'no answer in 30 s' : `exit status ${result.exitCode ?? 'none'}`;
  return { command, facts: null, problem: said === '' ? how : `${how}: ${said}` };
}

/** @returns every Python worth trying: PATH, then those that uv and pyenv manage. Duplicates are left out. */
export function pythonCommands(env: Env): string[] {
  const home = env['HOME'] ?? homedir();
  const uvData =
    env['UV_PYTHON_INSTALL_DIR'] ?? join(env['XDG_DATA_HOME'] ?? join(home, '.local/share'), 'uv/python');
  const pyenv = join(env['PYENV_ROOT'] ?? join(home, '.pyenv'), 'versions');
  const managed = [...pythonsBelow(uvData), ...pythonsBelow(pyenv)];
  return [...new Set([...names.flatMap((name) => findAllOnPath(name, env)), ...managed])];
}

/** `<directory>/<any 3.10 or newer>/bin/python3`. */
function pythonsBelow(directory: string): string[] {
  let entries: string[];
  try {
    entries = readdirSync(directory);
  } catch {
    return [];
  }
  return entries
    .filter((entry) => /(^|-)3\.1\d(\.|$|-)/.test(entry))
    .sort()
    .reverse()
    .map((entry) => join(directory, entry, 'bin', 'python3'))
    .filter(isExecutable);
}

/** Tries all of them, a few at a time: a shim costs 0.2 s. Several names of one interpreter are one candidate. */
export async function probePythons(
  commands: readonly string[],
  options: { readonly env: Env; readonly program: string; readonly signal?: AbortSignal },
): Promise<PythonCandidate[]> {
  const tried = await Promise.all(
    commands.map((command) => inspectPython(command, { ...options, withPackages: false })),
  );
  const seen = new Set<string>();
  return tried.filter(({ facts }) => {
    const key = facts?.identity;
    if (key === undefined) return true;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
