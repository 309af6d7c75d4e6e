import { existsSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Source } from '../../core/upstreams/source.ts';
import { SuperOffloadError } from '../../errors.ts';
import { GitError, openGit, type Git } from '../git.ts';
import { explained, type FetchContext, type Place } from './remote.ts';

export interface Located extends Place {
  /** git in the user's own checkout, only to be read; null for a remote and for a bare repository. */
  readonly checkout: Git | null;
}

/**
 * Finds a source: a path is made absolute and must be the top of a repository, bare or with files, a worktree of one
 * included.
 * @throws SuperOffloadError 'environment' where there is none, or git refuses to read it.
 */
export async function locate(name: string, source: Source, ctx: FetchContext): Promise<Located> {
  if (source.kind === 'url') {
    return { name, address: source.address, shown: source.shown, isLocal: false, checkout: null };
  }
  const path = await existingFolder(name, source, ctx);
  const place: Place = { name, address: path, shown: path, isLocal: true };
  const hasFiles = existsSync(join(path, '.git'));
  if (!hasFiles && !(existsSync(join(path, 'HEAD')) && existsSync(join(path, 'objects')))) {
    throw notARepository(name, path);
  }
  const git = await openGit(path, ctx);
  try {
    // Where .git is none, git looks above and would find the project around it.
    const question = hasFiles ? '--show-toplevel' : '--absolute-git-dir';
    const top = (await git.run(['rev-parse', question])).replace(/\n$/, '');
    if (top !== path) throw notARepository(name, path);
  } catch (error) {
    if (error instanceof GitError && /not a git repository/.test(error.stderr))
      throw notARepository(name, path);
    throw explained(error, place, 'read');
  }
  return { ...place, checkout: hasFiles ? git : null };
}

async function existingFolder(
  name: string,
  { address }: Source,
  { cwd, env }: FetchContext,
): Promise<string> {
  // `--source megatron=~/x`: no shell expands a tilde in the middle of a word.
  const expanded =
    address === '~' || address.startsWith('~/') ? `${env['HOME'] ?? '~'}${address.slice(1)}` : address;
  const path = resolve(cwd, expanded);
  const state = await stat(path).catch(() => undefined);
  if (state?.isDirectory() === true) return realpath(path);
  const looksLikeUrl = /^[\w-]+(\.[\w-]+)+\/[\w./-]+$/.test(address);
  throw new SuperOffloadError({
    code: 'environment',
    message: `${name}: ${path} ${state === undefined ? 'is not there' : 'is no folder'} (expected a git repository)`,
    hint: looksLikeUrl
      ? `A URL begins with its scheme: --source ${name}=https://${address}`
      : `Name a repository: --source ${name}=URL|PATH`,
  });
}

function notARepository(name: string, path: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: `${name}: ${path} is not the top of a git repository`,
    hint: `An unpacked archive or a folder inside of a repository does not say which commit it is: --source ${name}=URL|PATH of the repository itself.`,
  });
}
