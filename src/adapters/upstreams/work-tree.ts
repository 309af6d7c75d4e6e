import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { SuperOffloadError } from '../../errors.ts';
import type { Git } from '../git.ts';

/** How a work tree differs from the commit that it stands at. */
export interface WorkTreeState {
  /** null in a repository without any commit. */
  readonly head: string | null;
  /** Of the diff of every tracked file; null where nothing differs. */
  readonly diffSha256: string | null;
  /** Files that git does not track and does not ignore; a folder of them is one, with a slash at its end. */
  readonly untracked: readonly string[];
}

/**
 * A diff that says the same whatever the user's configuration, and that `git apply` takes, binary files too.
 * diff.autoRefreshIndex is off because it would write to the repository that is only looked at.
 */
const diffCommand = [
  ...['-c', 'diff.autoRefreshIndex=false', '-c', 'diff.orderFile=/dev/null', '-c', 'diff.noprefix=false'],
  ...['-c', 'diff.mnemonicPrefix=false', '-c', 'diff.suppressBlankEmpty=false'],
  ...['diff', '--no-ext-diff', '--no-textconv', '--no-color', '--no-renames', '--no-relative', '--binary'],
  ...['--full-index', '--src-prefix=a/', '--dst-prefix=b/', '--unified=3', '--inter-hunk-context=0'],
  ...['--diff-algorithm=myers', '--no-indent-heuristic', '--ignore-submodules=all'],
];

/**
 * Compares a work tree with its HEAD; nothing of the repository is written.
 * @param diffFile where the diff is left, if there is one.
 */
export async function workTreeState(git: Git, diffFile: string): Promise<WorkTreeState> {
  const { head, untracked, changed } = await readStatus(git);
  if (head === null || changed.length === 0) return { head, diffSha256: null, untracked };
  await git.run([...diffCommand, `--output=${diffFile}`, 'HEAD', '--']);
  const { size } = await stat(diffFile);
  return { head, diffSha256: size === 0 ? null : await fileSha256(diffFile), untracked };
}

interface Status {
  readonly head: string | null;
  readonly untracked: readonly string[];
  /** Tracked paths that differ from HEAD. */
  readonly changed: readonly string[];
  readonly unmerged: readonly string[];
}

/** Reads git-status(1), format 2: `1 XY sub mH mI mW hH hI path`, `u` with three more fields, `? path`. */
export async function readStatus(git: Git): Promise<Status> {
  const options = ['--untracked-files=normal', '--ignore-submodules=all', '--no-renames', '--ignored=no'];
  const text = await git.run(['status', '--porcelain=v2', '-z', '--branch', ...options]);
  const rows = text.split('\0');
  const paths = (kind: string, fields: number): string[] =>
    rows.flatMap((row) => (row.startsWith(`${kind} `) ? [row.split(' ').slice(fields).join(' ')] : []));
  return {
    head: /^# branch\.oid ([0-9a-f]+)$/m.exec(rows.join('\n'))?.[1] ?? null,
    untracked: paths('?', 1),
    changed: paths('1', 8),
    unmerged: paths('u', 10),
  };
}

/**
 * Refuses a checkout whose local changes cannot be carried over as they are.
 * @throws SuperOffloadError 'environment' in the middle of a merge, or where a filter (Git LFS) rewrites the files.
 */
export async function requirePlainChanges(git: Git, path: string): Promise<void> {
  const refuse = (problem: string): SuperOffloadError =>
    new SuperOffloadError({
      code: 'environment',
      message: `${path}: ${problem}`,
      hint: 'Commit the changes there, or undo them, or name a commit with --ref.',
    });
  const { changed, unmerged } = await readStatus(git);
  if (unmerged.length > 0) throw refuse(`is in the middle of a merge: ${unmerged.slice(0, 3).join(', ')}`);
  for (let start = 0; start < changed.length; start += 500) {
    const some = changed.slice(start, start + 500);
    const rows = (await git.run(['check-attr', '-z', 'filter', '--', ...some])).split('\0');
    const filtered = rows.findIndex(
      (value, index) => index % 3 === 2 && !/^(unspecified|unset)$/.test(value),
    );
    if (filtered >= 0) {
      const file = rows[filtered - 2] ?? '';
      throw refuse(`${file} is changed, and git stores it by the filter "${rows[filtered] ?? ''}"`);
    }
  }
}

async function fileSha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
