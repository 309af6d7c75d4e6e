/** What to do to a tree, from what was found in it: nothing here touches a file. */
import type { Target } from './series.ts';

/** One path of a tree, looked at. */
export type Found =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'file';
      readonly blob: string;
      /** The blob id with CRLF line ends read as LF. */
      readonly lfBlob: string;
      /** Permission bits. */
      readonly mode: number;
    }
  /** Not to be written to: a symbolic link, a folder, something behind one. */
  | { readonly kind: 'blocked'; readonly why: string };

/** What an earlier application left at a path. */
export interface RecordedFile {
  readonly path: string;
  /** Its pre-image, kept in the backup; null where the upstream has no such file. */
  readonly upstream: string | null;
  readonly blob: string;
}

/** A target with the blob id that it is to have, overlay files included. */
export type Wanted = Target & { readonly final: string };

/** One file of the change: from what it is to what it shall be; null: no file. */
export interface PlannedFile {
  readonly path: string;
  readonly from: string | null;
  readonly to: string | null;
  /** Where its upstream content lies. */
  readonly base: 'tree' | 'backup' | 'none';
  readonly upstream: string | null;
}

export interface Conflict {
  readonly path: string;
  /** null for an overlay file, or one of an earlier series. */
  readonly patch: string | null;
  /** Blob id; null: no file. */
  readonly expected: string | null;
  readonly found: string | null;
  readonly reason: string;
  readonly hint: string;
}

export type TreePlan =
  | { readonly status: 'applied' }
  | { readonly status: 'ready'; readonly files: readonly PlannedFile[] }
  | { readonly status: 'blocked'; readonly conflicts: readonly Conflict[] };

/** What surrounds a decision. */
export interface TreeFacts {
  readonly recorded: readonly RecordedFile[];
  readonly found: ReadonlyMap<string, Found>;
  /** The series lists this commit or version, so another content is somebody's change, not another upstream. */
  readonly isListed: boolean;
}

/**
 * Decides what applying a series means for a tree that may be untouched, patched already, or patched by an earlier
 * series. A file whose content is neither the upstream's nor what was recorded is never touched.
 */
export function planApply(targets: readonly Wanted[], facts: TreeFacts): TreePlan {
  const leftover = facts.recorded.filter(({ path }) => !targets.some((target) => target.path === path));
  const isDone = (target: Wanted): boolean => blobAt(facts, target.path) === target.final;
  if (leftover.every((file) => blobAt(facts, file.path) !== file.blob) && targets.every(isDone)) {
    return { status: 'applied' };
  }
  return settle([
    ...targets.map((target) => planTarget(target, facts)),
    ...leftover.map((file) => planRestore(file, facts)),
  ]);
}

/** Decides what undoing the recorded series means. */
export function planRevert(facts: TreeFacts): TreePlan {
  return settle(facts.recorded.map((file) => planRestore(file, facts)));
}

function settle(planned: readonly (PlannedFile | Conflict)[]): TreePlan {
  const conflicts = planned.filter((each) => 'reason' in each);
  if (conflicts.length > 0) return { status: 'blocked', conflicts };
  return { status: 'ready', files: planned.filter((each) => 'from' in each) };
}

function planTarget(target: Wanted, facts: TreeFacts): PlannedFile | Conflict {
  const { path, upstream, final } = target;
  const blob = blobAt(facts, path);
  const old = facts.recorded.find((file) => file.path === path);
  if (isClear(facts, path) && blob === upstream) {
    return { path, from: blob, to: final, base: upstream === null ? 'none' : 'tree', upstream };
  }
  if (old !== undefined && blob === old.blob && old.upstream === upstream) {
    return { path, from: blob, to: final, base: upstream === null ? 'none' : 'backup', upstream };
  }
  if (old === undefined && blob === final) {
    const reason = 'it is patched already, but its upstream content is not kept beside the tree';
    return { ...conflictOf(target, facts), reason, hint: reinstall };
  }
  // Patched by an earlier series, from another content than this series wants: the upstream moved under it.
  const moved = old !== undefined && blob === old.blob;
  return moved
    ? { ...conflictOf(target, facts), expected: upstream, found: old.upstream, ...movedUpstream }
    : conflictOf(target, facts);
}

function planRestore(file: RecordedFile, facts: TreeFacts): PlannedFile | Conflict {
  const { path, upstream } = file;
  const blob = blobAt(facts, path);
  if (isClear(facts, path) && blob === upstream)
    return { path, from: blob, to: blob, base: 'none', upstream };
  if (blob === file.blob) {
    return { path, from: blob, to: upstream, base: upstream === null ? 'none' : 'backup', upstream };
  }
  return {
    ...{ path, patch: null, expected: file.blob, found: blob },
    ...(blockedReason(facts, path) ?? { reason: 'it was changed after it was patched', hint: changedHint }),
  };
}

const changedHint =
  'keep the change elsewhere, put the file back as it was, and try again; or start anew with: superoffload install --reinstall';
const reinstall = 'run: superoffload install --reinstall';
const movedUpstream = {
  reason: 'the upstream has another content here than the series was made for',
  hint: 'use the commit or version that the series lists, or update superoffload',
};

/** Says why a target cannot be patched as it was found. */
function conflictOf(target: Wanted, facts: TreeFacts): Conflict {
  const { path, upstream, patches } = target;
  const at = facts.found.get(path);
  const base = { path, patch: patches[0] ?? null, expected: upstream, found: blobAt(facts, path) };
  const blocked = blockedReason(facts, path);
  if (blocked !== undefined) return { ...base, ...blocked };
  if (at?.kind !== 'file') {
    const hint = facts.isListed ? 'put the file back, and try again' : movedUpstream.hint;
    return { ...base, reason: 'the file is missing', hint };
  }
  const old = facts.recorded.find((file) => file.path === path);
  if (old !== undefined) {
    return { ...base, expected: old.blob, reason: 'it was changed after it was patched', hint: changedHint };
  }
  if (upstream === null) {
    const hint = 'move that file away, or use the commit or version that the series lists';
    return { ...base, reason: 'there is such a file already', hint };
  }
  if (at.lfBlob === upstream) {
    const hint = 'check the tree out again with `git config core.autocrlf false`';
    return { ...base, reason: 'only the line ends differ: the file has CRLF, the upstream LF', hint };
  }
  if (!facts.isListed) return { ...base, ...movedUpstream };
  return { ...base, reason: 'the file has local changes', hint: changedHint };
}

function blockedReason(facts: TreeFacts, path: string): { reason: string; hint: string } | undefined {
  const at = facts.found.get(path);
  if (at?.kind !== 'blocked') return undefined;
  return { reason: at.why, hint: 'a patched tree must hold plain files and folders of its own' };
}

/** Blob id at a path; null where there is no plain file. */
function blobAt({ found }: TreeFacts, path: string): string | null {
  const at = found.get(path);
  return at?.kind === 'file' ? at.blob : null;
}

function isClear({ found }: TreeFacts, path: string): boolean {
  return found.get(path)?.kind !== 'blocked';
}
