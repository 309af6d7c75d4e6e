import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  fetchSource,
  type SourceRequest,
  type SourceTree,
} from '../../../src/adapters/upstreams/checkout.ts';
import type { FetchContext } from '../../../src/adapters/upstreams/remote.ts';
import {
  isRefusal,
  parseRef,
  parseSource,
  type Ref,
  type Source,
} from '../../../src/core/upstreams/source.ts';
import { SuperOffloadError } from '../../../src/errors.ts';
import { gitEnv } from './repositories.ts';

function sourceOf(text: string): Source {
  const source = parseSource(text);
  if (isRefusal(source)) throw new Error(`${text}: ${source.problem}`);
  return source;
}

function refOf(text: string): Ref {
  const ref = parseRef(text);
  if (isRefusal(ref)) throw new Error(`${text}: ${ref.problem}`);
  return ref;
}

export function fetchContext(more: Partial<FetchContext> = {}): FetchContext {
  const signal = new AbortController().signal;
  return { signal, env: gitEnv, cwd: tmpdir(), idleMs: 20_000, pausesMs: [10, 20, 30], ...more };
}

/** What a test asks for: text for a source and a ref, as a user writes them. */
export interface Asked extends Partial<Omit<SourceRequest, 'source' | 'ref'>> {
  readonly source: string;
  readonly ref?: string;
}

export async function fetchInto(
  directory: string,
  asked: Asked,
  more: Partial<FetchContext> = {},
): Promise<SourceTree> {
  const { source, ref = 'superoffload', ...rest } = asked;
  const request = { name: 'megatron', commit: null, directory, ...rest };
  return fetchSource({ ...request, source: sourceOf(source), ref: refOf(ref) }, fetchContext(more));
}

export async function refusal(work: Promise<unknown>): Promise<SuperOffloadError> {
  const error: unknown = await work.then(
    () => new Error('it was not refused'),
    (reason: unknown) => reason,
  );
  if (error instanceof SuperOffloadError && error.code === 'environment') return error;
  throw error;
}

/** Everything that reading a repository could change: names, sizes, times and contents of its files. */
export function everythingOf(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    names.map((name) => {
      const { mtimeMs, ctimeMs, size, mode, ino } = lstatSync(join(folder, name));
      const content = lstatSync(join(folder, name)).isFile()
        ? readFileSync(join(folder, name), 'latin1')
        : '';
      return [name, JSON.stringify([mtimeMs, ctimeMs, size, mode, ino, content])];
    }),
  );
}

export const text = (...path: string[]): string => readFileSync(join(...path), 'utf8');
