import type { ToolFacts } from '../../core/doctor/facts.ts';
import { capture } from '../exec.ts';
import { findOnPath } from './search-path.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** @returns the first line of `command --version`; undefined when it does not run: being on PATH proves nothing. */
export async function versionOf(
  command: readonly string[],
  env: Env,
  flag = '--version',
  signal?: AbortSignal,
): Promise<string | undefined> {
  const { exitCode, stdout, stderr } = await capture([...command, flag], {
    env,
    timeoutMs: 20_000,
    ...(signal === undefined ? {} : { signal }),
  });
  if (exitCode !== 0) return undefined;
  return (stdout.trim() === '' ? stderr : stdout).trim().split('\n')[0];
}

/** `ssh -V` and `numactl --show` are how these two prove that they run. */
const versionFlags: Readonly<Record<string, string>> = { ssh: '-V', numactl: '--show' };

/** Finds a tool on PATH and runs it. */
export async function probeTool(name: string, env: Env, signal?: AbortSignal): Promise<ToolFacts> {
  const path = findOnPath(name, env);
  if (path === undefined) return { path: null, version: null };
  const version = await versionOf([path], env, versionFlags[name] ?? '--version', signal);
  return { path, version: version ?? null };
}
