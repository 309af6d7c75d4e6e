import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Ref, Source } from '../../core/upstreams/source.ts';
import { SuperOffloadError } from '../../errors.ts';
import { makeFolder, withFileErrors } from '../files.ts';
import { GitError, openGit, type Git } from '../git.ts';
import { checkOut, fetchCommit, initRepository, reopen, type Wanted } from './fetch-commit.ts';
import { locate, type Located } from './locate.ts';
import { isAsLeft, readMarker, writeMarker, type Marker } from './marker.ts';
import { explained, resolveRef, type FetchContext, type Place } from './remote.ts';
import { readStatus, requirePlainChanges, workTreeState } from './work-tree.ts';

export interface SourceRequest {
  /** An UpstreamName, or another name that messages and the marker of the tree are to have. */
  readonly name: string;
  readonly source: Source;
  readonly ref: Ref;
  /** null: whatever `ref` names today. */
  readonly commit: string | null;
  /** No `--ref` was given: a checkout of the user's then stands at its own HEAD. */
  readonly isDefaultRef?: boolean;
  /** Absolute. */
  readonly directory: string;
}

/** A work tree as it was left, and what it is. */
export interface SourceTree {
  /** Without user name and password; the absolute path of a local source. */
  readonly url: string;
  readonly ref: string;
  readonly commit: string;
  /** Of the local changes that came along from a checkout of the user's; null where it had none. */
  readonly dirtyDiffSha256: string | null;
  /** What a user should know: files that did not come along, submodules that were not fetched. */
  readonly notes: readonly string[];
}

interface Build extends Wanted {
  /** Where the commit lies on this machine already. */
  readonly near: Place | null;
}

/** What is to be carried over from a checkout of the user's. */
interface LocalChanges {
  readonly sha256: string | null;
  readonly file: string;
  readonly notes: readonly string[];
}

/**
 * Leaves at `directory` the files of exactly one commit with a `.git` of their own, and the changes to tracked files
 * where the source is a checkout that has some. Built beside it and renamed, so `directory` is whole or as it was.
 * Nothing is done where it is that already; a tree of ours that was changed since is kept beside it, never deleted.
 * @throws SuperOffloadError 'environment' (network, login, no such ref, a folder that is not ours, a full disk), or
 * the reason of `ctx.signal`; then what was fetched whole is used by the next call, and the rest is replaced.
 */
export async function fetchSource(request: SourceRequest, ctx: FetchContext): Promise<SourceTree> {
  const found = await locate(request.name, request.source, ctx);
  const { directory } = request;
  const aside = join(dirname(directory), `.${basename(directory)}.fetching`);
  return withFileErrors(directory, async () => {
    const marker = await readMarker(directory, request.name);
    await makeFolder(aside);
    try {
      const tree = await leaveTree(request, found, marker, aside, ctx);
      await rm(aside, { recursive: true, force: true });
      return tree;
    } catch (error) {
      // An interrupted fetch may be resumed; after a failure nothing of it is worth its place on the disk.
      if (!ctx.signal.aborted) await rm(aside, { recursive: true, force: true });
      throw error;
    }
  });
}

async function leaveTree(
  request: SourceRequest,
  found: Located,
  marker: Marker | null,
  aside: string,
  ctx: FetchContext,
): Promise<SourceTree> {
  const { directory, name, ref } = request;
  const commit = await chooseCommit(request, found, await openGit(aside, ctx), ctx);
  const changes = await localChanges(found, commit, join(aside, 'changes.diff'));
  const diffFile = join(aside, 'left.diff');
  const isUnchanged = marker !== null && (await isAsLeft(directory, marker, diffFile, ctx));
  const tree = { url: found.shown, ref: refShown(request, found), commit, dirtyDiffSha256: changes.sha256 };
  const isThere = marker?.commit === commit && marker.dirtyDiffSha256 === changes.sha256 && isUnchanged;
  const notes = [...changes.notes];
  if (isThere) await writeMarker(directory, { ...marker, ...tree });
  else {
    const folder = join(aside, 'tree');
    const near = marker?.commit === commit ? placeOfOurs(name, directory) : null;
    await build(folder, { place: found, ref, commit, near }, changes, ctx);
    const leftDiffSha256 = changes.sha256 === null ? null : await diffOf(folder, diffFile, ctx);
    await writeMarker(folder, { schemaVersion: 1, name, ...tree, leftDiffSha256 });
    ctx.signal.throwIfAborted();
    const kept = await putInPlace(folder, directory, marker === null || isUnchanged);
    if (kept !== null) notes.push(`${name}: the tree that was there had changes; it is kept as ${kept}`);
  }
  return { ...tree, notes: [...notes, ...(await submoduleNotes(name, directory, ctx))] };
}

async function diffOf(folder: string, diffFile: string, ctx: FetchContext): Promise<string | null> {
  return (await workTreeState(await openGit(folder, ctx), diffFile)).diffSha256;
}

/** A tree of ours that has the commit already: what was patched since does not have to come over the network again. */
function placeOfOurs(name: string, directory: string): Place {
  return { name, address: directory, shown: directory, isLocal: true };
}

function refShown({ ref, isDefaultRef }: SourceRequest, { checkout }: Located): string {
  return checkout !== null && isDefaultRef === true ? 'HEAD' : ref.name;
}

async function chooseCommit(
  { ref, commit, isDefaultRef }: SourceRequest,
  found: Located,
  git: Git,
  ctx: FetchContext,
): Promise<string> {
  if (found.checkout === null || isDefaultRef !== true) return commit ?? resolveRef(git, found, ref, ctx);
  const { head } = await readStatus(found.checkout);
  if (head !== null) return head;
  throw new SuperOffloadError({
    code: 'environment',
    message: `${found.name}: ${found.shown} has no commit yet`,
    hint: 'Commit there first, or name another source.',
  });
}

/** What a checkout of the user's has beyond its commit; nothing where another commit of it is wanted. */
async function localChanges(found: Located, commit: string, file: string): Promise<LocalChanges> {
  if (found.checkout === null) return { sha256: null, file, notes: [] };
  try {
    const state = await workTreeState(found.checkout, file);
    const { name, shown } = found;
    if (state.head !== commit) {
      const changed = state.diffSha256 === null && state.untracked.length === 0;
      const note = `${name}: the changes in ${shown} belong to ${state.head ?? 'no commit'} and did not come along`;
      return { sha256: null, file, notes: changed ? [] : [note] };
    }
    if (state.diffSha256 !== null) await requirePlainChanges(found.checkout, shown);
    const count = state.untracked.length;
    const some = state.untracked.slice(0, 3).join(', ') + (count > 3 ? ', ...' : '');
    const note = `${name}: ${count} untracked in ${shown} did not come along: ${some}`;
    return { sha256: state.diffSha256, file, notes: count === 0 ? [] : [note] };
  } catch (error) {
    throw explained(error, found, 'read the local changes of');
  }
}

async function build(folder: string, wanted: Build, changes: LocalChanges, ctx: FetchContext): Promise<void> {
  const resumed = existsSync(folder) ? await reopen(folder, wanted.commit, ctx) : null;
  if (resumed !== null) {
    const isDone = await checkOut(resumed, wanted.commit).then(
      () => true,
      (error: unknown) => {
        if (error instanceof GitError) return false;
        throw error;
      },
    );
    if (isDone) {
      await carryOver(resumed, wanted, changes);
      return;
    }
  }
  await rm(folder, { recursive: true, force: true });
  await makeFolder(folder);
  try {
    const git = await initRepository(folder, wanted.place, ctx);
    await fetchNearest(git, wanted, ctx);
    await checkOut(git, wanted.commit);
    await carryOver(git, wanted, changes);
  } catch (error) {
    throw explained(error, wanted.place, 'write the files of');
  }
}

async function fetchNearest(git: Git, wanted: Build, ctx: FetchContext): Promise<void> {
  const { near } = wanted;
  if (near !== null) {
    try {
      await fetchCommit(git, { ...wanted, place: near }, ctx);
      return;
    } catch {
      // Damaged, or cut: then from where it came from.
      ctx.signal.throwIfAborted();
    }
  }
  await fetchCommit(git, wanted, ctx);
}

async function carryOver(git: Git, { place }: Wanted, { sha256, file }: LocalChanges): Promise<void> {
  if (sha256 === null) return;
  await git
    .run(['apply', '--index', '--binary', '--whitespace=nowarn', '--', file])
    .catch((error: unknown) => {
      throw explained(error, place, 'carry over the local changes of');
    });
}

/**
 * A new folder takes the place of the old one. One that was changed is kept beside it, and so is each that was kept
 * before: they are the user's, and only he removes them.
 * @returns where the old one is kept, null where there is nothing to keep.
 */
async function putInPlace(folder: string, directory: string, isUnchanged: boolean): Promise<string | null> {
  if (!existsSync(directory)) {
    await rename(folder, directory);
    return null;
  }
  const old = isUnchanged ? `${folder}.old` : freeName(directory);
  await rm(`${folder}.old`, { recursive: true, force: true });
  await rename(directory, old);
  await rename(folder, directory).catch(async (error: unknown) => {
    await rename(old, directory);
    throw error;
  });
  return isUnchanged ? null : old;
}

function freeName(directory: string): string {
  const name = join(dirname(directory), `.${basename(directory)}.replaced`);
  let free = name;
  for (let number = 2; existsSync(free); number += 1) free = `${name}-${number}`;
  return free;
}

async function submoduleNotes(name: string, directory: string, ctx: FetchContext): Promise<string[]> {
  const rows = await (await openGit(directory, ctx)).run(['ls-files', '--stage', '-z']);
  const paths = rows
    .split('\0')
    .flatMap((row) => (row.startsWith('160000 ') ? [row.split('\t')[1] ?? ''] : []));
  return paths.length === 0 ? [] : [`${name}: submodules are not fetched: ${paths.join(', ')}`];
}
