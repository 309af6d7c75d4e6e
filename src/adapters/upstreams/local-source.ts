import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SourceIdentity } from '../../core/stack/current.ts';
import { openGit } from '../git.ts';
import type { SourceRequest } from './checkout.ts';
import { locate } from './locate.ts';
import { resolveRef, type FetchContext } from './remote.ts';
import { readStatus, workTreeState } from './work-tree.ts';

/**
 * What a fetch of a local source would leave today, without fetching it; nothing of the source is written.
 * @returns null for a remote, which is not asked, and for a checkout without a commit.
 * @throws SuperOffloadError 'environment' where there is no repository or no such ref, or the signal's reason.
 */
export async function localIdentity(
  { name, source, ref, commit: pinned, isDefaultRef }: Omit<SourceRequest, 'directory'>,
  ctx: FetchContext,
): Promise<SourceIdentity | null> {
  if (source.kind === 'url') return null;
  const found = await locate(name, source, ctx);
  const { checkout, shown: url } = found;
  if (checkout === null || isDefaultRef !== true) {
    const git = checkout ?? (await openGit(found.address, ctx));
    const commit = pinned ?? (await resolveRef(git, found, ref, ctx));
    const isThere = checkout !== null && (await readStatus(checkout)).head === commit;
    return { url, commit, dirtyDiffSha256: isThere ? await diffSha256(checkout) : null };
  }
  const { head } = await readStatus(checkout);
  return head === null ? null : { url, commit: head, dirtyDiffSha256: await diffSha256(checkout) };
}

async function diffSha256(checkout: Parameters<typeof workTreeState>[0]): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'superoffload-diff-'));
  try {
    return (await workTreeState(checkout, join(folder, 'changes.diff'))).diffSha256;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
