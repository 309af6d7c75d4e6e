import { openGit } from '../git.ts';
import type { SourceRequest } from './checkout.ts';
import { locate } from './locate.ts';
import { readMarker } from './marker.ts';
import { requireAnswer, resolveRef, type FetchContext } from './remote.ts';

/**
 * Looks whether a fetch could begin, before anything else is touched: the path is a repository, the remote
 * answers and has the ref. A tree that is at its commit already needs neither.
 * @param folder any folder that exists; nothing is written there.
 * @throws SuperOffloadError 'environment' as a fetch says it.
 */
export async function lookAtSource(request: SourceRequest, folder: string, ctx: FetchContext): Promise<void> {
  const { name, source, ref, commit, directory } = request;
  const found = await locate(name, source, ctx);
  const marker = await readMarker(directory, name).catch(() => null);
  if (found.isLocal && commit !== null) return;
  if (commit !== null && marker?.commit === commit) return;
  const git = await openGit(folder, ctx);
  await (commit === null ? resolveRef(git, found, ref, ctx) : requireAnswer(git, found, ctx));
}
