import { appendFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ref } from '../../core/upstreams/source.ts';
import { SuperOffloadError } from '../../errors.ts';
import { GitError, openGit, type Git } from '../git.ts';
import { explained, failureOf, persistently, type FetchContext, type Place } from './remote.ts';

/** Set when a commit is here with all that belongs to it: git writes it after it has checked just that. */
const fetchedRef = 'refs/superoffload/source';

/**
 * Beats every .gitattributes and every configuration: the files are what the commit holds, byte for byte. No line
 * ending is turned, no filter (Git LFS) runs.
 */
const attributes = '* -text -filter -ident -working-tree-encoding\n';
/** What importing and `pip install -e` write is no change of the tree. */
const excludes = [
  '__pycache__/',
  '*.pyc',
  '*.egg-info/',
  '*.so',
  '*.o',
  'build/',
  'dist/',
  '.pytest_cache/',
  '',
];

/** Makes an empty repository of ours: no template of the user's, no hook, nothing that rewrites a file. */
export async function initRepository(folder: string, place: Place, ctx: FetchContext): Promise<Git> {
  const git = await openGit(folder, {
    ...ctx,
    ...(ctx.onLine === undefined ? {} : { onProgress: ctx.onLine }),
  });
  await git.run(['init', '--template=', '--initial-branch=main', '--object-format=sha1']);
  const info = join(folder, '.git/info');
  await mkdir(info, { recursive: true });
  await writeFile(join(info, 'attributes'), attributes);
  await writeFile(join(info, 'exclude'), excludes.join('\n'));
  const url = place.shown.replace(/[\\"]/g, '\\$&');
  const lines = [
    '[core]',
    '\thooksPath = /dev/null',
    '\tautocrlf = false',
    '[remote "origin"]',
    `\turl = "${url}"`,
    '',
  ];
  await appendFile(join(folder, '.git/config'), lines.join('\n'));
  return git;
}

/** What is fetched, from where. */
export interface Wanted {
  readonly place: Place;
  readonly ref: Ref;
  readonly commit: string;
}

/**
 * Brings one commit into a repository of ours, without its history where the server allows it.
 *
 * A server that gives no commit by its name (protocol 0, or plain files over HTTP) gives no single file by its name
 * either, so a fetch without the files (blobless) would only fail later: the whole branch is fetched from those.
 * @throws SuperOffloadError 'environment'.
 */
export async function fetchCommit(
  git: Git,
  { place, ref, commit }: Wanted,
  ctx: FetchContext,
): Promise<void> {
  const fetch = (options: readonly string[], refspecs: readonly string[]): Promise<string> => {
    const command = ['fetch', '--no-tags', '--progress', '--force', ...options, '--end-of-options'];
    return persistently(place, ctx, () => git.run([...command, place.address, ...refspecs]));
  };
  const failed = (error: unknown): unknown => explained(error, place, `fetch commit ${commit} from`);
  try {
    await fetch(['--depth=1'], [`${commit}:${fetchedRef}`]);
    return;
  } catch (error) {
    const kind = error instanceof GitError ? failureOf(error, place) : 'other';
    if (kind === 'missing-commit') throw noSuchCommit(place, commit);
    if (kind !== 'unadvertised') throw failed(error);
  }
  const all = ['refs/heads/*:refs/superoffload/heads/*', 'refs/tags/*:refs/superoffload/tags/*'];
  const one = ref.name.startsWith('refs/') ? ref.name : `refs/heads/${ref.name}`;
  const attempts =
    ref.kind === 'name' && ref.name !== 'HEAD' ? [[`${one}:refs/superoffload/branch`], all] : [all];
  for (const refspecs of attempts) {
    try {
      await fetch(['--update-shallow'], refspecs);
    } catch (error) {
      if (error instanceof GitError && failureOf(error, place) === 'missing-ref') continue;
      throw failed(error);
    }
    if (await isCommit(git, commit)) {
      await git.run(['update-ref', fetchedRef, commit]);
      return;
    }
  }
  throw noSuchCommit(place, commit);
}

function noSuchCommit({ name, shown }: Place, commit: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: `${name}: ${shown} has no commit ${commit}`,
    hint: `Name a repository that has it with --source ${name}=URL|PATH, or another commit with --ref ${name}=REF.`,
  });
}

async function isCommit(git: Git, commit: string): Promise<boolean> {
  return git.run(['cat-file', '-e', `${commit}^{commit}`]).then(
    () => true,
    (error: unknown) => {
      if (error instanceof GitError) return false;
      throw error;
    },
  );
}

/** Writes the files of the fetched commit; HEAD is the commit itself, on no branch. */
export async function checkOut(git: Git, commit: string): Promise<void> {
  // With progress, as without a terminal git says nothing, and on a slow disk many files take longer than its patience.
  await git.run(['checkout', '--progress', '--force', '--detach', commit]);
}

/**
 * Opens what an interrupted fetch left, where it had come as far as having the whole commit; only the files are then
 * written anew.
 * @returns null where it had not.
 */
export async function reopen(folder: string, commit: string, ctx: FetchContext): Promise<Git | null> {
  try {
    const git = await openGit(folder, ctx);
    const found = await git.run(['rev-parse', '--revs-only', '--git-dir', fetchedRef]);
    if (found !== `.git\n${commit}\n`) return null;
    for (const name of await readdir(folder)) {
      if (name !== '.git') await rm(join(folder, name), { recursive: true });
    }
    for (const name of await readdir(join(folder, '.git'))) {
      if (name === 'index' || name.endsWith('.lock')) await rm(join(folder, '.git', name));
    }
    return git;
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (error instanceof SuperOffloadError || (error as NodeJS.ErrnoException).code !== undefined)
      return null;
    throw error;
  }
}
