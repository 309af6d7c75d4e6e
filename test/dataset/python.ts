import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stackPaths } from '../../src/adapters/stack/store.ts';
import type { Context } from '../../src/workflows/context.ts';
import { megatronCommit, upstreamSource } from '../patches/sources.ts';
import { realStack, sharedHome } from '../real-stack.ts';

/** A Python with tokenizers and regex: the shared stack's where Megatron's packages are in it, or one that is named. */
export const tokenizerPython = process.env['SUPEROFFLOAD_TEST_TOKENIZERS'] ?? realStack.python;

/** Why no text can be tokenized here; null where it can. */
export const tokenizersMissing: string | null =
  spawnSync(tokenizerPython, ['-c', 'import tokenizers, regex']).status === 0
    ? null
    : 'no tokenizers in the stack; SUPEROFFLOAD_TEST_TOKENIZERS may name a Python that has them';

const megatron = upstreamSource('megatron');
/** Why Megatron's own code cannot be run; null where it can. */
export const megatronMissing: string | null = 'missing' in megatron ? megatron.missing : null;

/** One file of Megatron, laid into a folder. */
export function megatronFile(path: string, folder: string): string {
  if ('missing' in megatron) throw new Error(megatron.missing);
  const text = execFileSync('git', ['-C', megatron.path, 'show', `${megatronCommit}:${path}`]);
  const copy = join(folder, path.replaceAll('/', '_'));
  writeFileSync(copy, text);
  return copy;
}

/** What read_with_megatron.py makes of each job. */
export function withMegatron(python: string, file: string, jobs: readonly object[]): unknown[] {
  const script = join(import.meta.dirname, 'read_with_megatron.py');
  const env = { ...realStack.env, PYTHONDONTWRITEBYTECODE: '1' };
  const input = JSON.stringify(jobs);
  const output = execFileSync(python, [script, file], { env, input, encoding: 'utf8', maxBuffer: 2 ** 28 });
  return JSON.parse(output) as unknown[];
}

/** A state folder whose stack has, or lacks, the tokenizer library. */
export function contextIn(folder: string, hasTokenizers: boolean): Context {
  const home = join(folder, 'home');
  const lock = JSON.parse(readFileSync(stackPaths(sharedHome, 'pip').lock, 'utf8')) as {
    packages: Record<string, string>;
    python: object;
  };
  const packages = Object.entries(lock.packages).filter(([name]) => name !== 'tokenizers');
  if (hasTokenizers) packages.push(['tokenizers', '0']);
  const path = stackPaths(home, 'pip').lock;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(
    path,
    JSON.stringify({
      ...lock,
      python: { ...lock.python, path: tokenizerPython },
      packages: Object.fromEntries(packages),
    }),
  );
  return {
    ...{
      env: process.env,
      cwd: folder,
      home,
      packageRoot: join(import.meta.dirname, '../..'),
      now: Date.now,
    },
    emit: () => undefined,
    ...{ signal: new AbortController().signal, force: new AbortController().signal },
  };
}
