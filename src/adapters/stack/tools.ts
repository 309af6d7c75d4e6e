import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Installer } from '../../core/install/facts.ts';
import type { PythonFacts } from '../../core/stack/python.ts';
import { opFlags } from '../../core/stack/ops.ts';
import { findOnPath } from '../probe/search-path.ts';
import { versionOf } from '../probe/tools.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** @returns uv's command: on PATH, or as a module of that Python. */
async function findUv(env: Env, python: string | undefined): Promise<readonly string[] | undefined> {
  const candidates = [findOnPath('uv', env), ...(python === undefined ? [] : [[python, '-m', 'uv']])];
  for (const candidate of candidates) {
    if (candidate === undefined) continue;
    const command = typeof candidate === 'string' ? [candidate] : candidate;
    if ((await versionOf(command, env)) !== undefined) return command;
  }
  return undefined;
}

/** @returns what can install packages for this Python, best first; undefined when nothing can. */
export async function findInstaller(
  env: Env,
  python: PythonFacts,
  options: { readonly isOverlay: boolean; readonly findLinks: string | null },
): Promise<Installer | undefined> {
  const uv = await findUv(env, python.path);
  if (uv !== undefined) return { kind: 'uv', command: uv };
  if (options.isOverlay && python.hasPip) return { kind: 'pip', from: 'packages' };
  if (python.hasEnsurepip && python.hasVenv) return { kind: 'pip', from: 'ensurepip' };
  const wheel = options.findLinks === null ? undefined : await pipWheel(options.findLinks);
  return wheel === undefined ? undefined : { kind: 'pip', from: { wheel } };
}

/** pip runs from its own wheel, which is how a machine without pip and without a network gets one. */
async function pipWheel(directory: string): Promise<string | undefined> {
  const names = await readdir(directory).catch(() => []);
  const wheel = names
    .filter((name) => /^pip-.*\.whl$/.test(name))
    .sort()
    .at(-1);
  return wheel === undefined ? undefined : join(directory, wheel);
}

export interface Compiler {
  readonly path: string;
  readonly version: string;
}

/** @returns the C++ compiler that torch would take ($CXX, else c++), made absolute. */
export async function findCompiler(env: Env): Promise<Compiler | undefined> {
  for (const name of [env['CXX'], 'c++', 'g++']) {
    if (name === undefined || name === '') continue;
    const path = name.includes('/') ? name : findOnPath(name, env);
    const version = path === undefined ? undefined : await versionOf([path], env);
    if (path !== undefined && version !== undefined) return { path, version };
  }
  return undefined;
}

/** @returns compiler flags of each built op, as torch wrote them; `prebuilt` where DeepSpeed came with it. */
export async function readOpFlags(
  directory: string,
  ops: readonly string[],
): Promise<Record<string, string>> {
  const entries = ops.map(async (op): Promise<[string, string]> => {
    const file = await readFile(join(directory, op, 'build.ninja'), 'utf8').catch(() => '');
    return [op, opFlags(file) ?? 'prebuilt'];
  });
  return Object.fromEntries(await Promise.all(entries));
}
