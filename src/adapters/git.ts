import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where a folder of ours stands in its own repository. */
export interface SourceState {
  readonly commit: string;
  /** Tracked files differ from the commit. */
  readonly dirty: boolean;
}

/** @returns null where the folder is not the top of a repository (a packed release), or git does not answer. */
export async function sourceState(folder: string): Promise<SourceState | null> {
  // A release inside a project of the user's must not be taken for that project's repository.
  if (!existsSync(join(folder, '.git'))) return null;
  const { simpleGit } = await import('simple-git');
  try {
    const git = simpleGit(folder, { timeout: { block: 5_000 } });
    const status = await git.raw(['status', '--porcelain=v2', '--branch', '--untracked-files=no']);
    const commit = /^# branch\.oid ([0-9a-f]+)$/m.exec(status)?.[1];
    return commit === undefined ? null : { commit, dirty: /^[^#]/m.test(status) };
  } catch {
    return null;
  }
}
