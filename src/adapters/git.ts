import { realpath } from 'node:fs/promises';
import { simpleGit } from 'simple-git';

/** Where a folder of ours stands in its own repository. */
export interface SourceState {
  readonly commit: string;
  /** Tracked files differ from the commit. */
  readonly dirty: boolean;
}

/** @returns null where the folder is not the top of a repository (a packed release), or git does not answer. */
export async function sourceState(folder: string): Promise<SourceState | null> {
  const git = simpleGit(folder, { timeout: { block: 5_000 } });
  try {
    const top = (await git.revparse(['--show-toplevel'])).trim();
    if ((await realpath(top)) !== (await realpath(folder))) return null;
    const [commit, status] = await Promise.all([
      git.revparse(['HEAD']),
      git.raw(['status', '--porcelain', '--untracked-files=no']),
    ]);
    return { commit: commit.trim(), dirty: status.trim() !== '' };
  } catch {
    return null;
  }
}
