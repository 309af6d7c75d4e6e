import type { Selection } from './series.ts';

/** What a patch series did to a tree: kept in the stack's lock, so that `verify` and `revert` need nothing else. */
export interface PatchState {
  /** Of series.json itself. */
  readonly seriesSha256: string;
  readonly applied: readonly { readonly file: string; readonly sha256: string }[];
  readonly skipped: readonly { readonly file: string; readonly reason: string }[];
  /** Files that are wholly ours, by their path in the tree. */
  readonly overlay: readonly { readonly path: string; readonly sha256: string }[];
  /** Every upstream file that a patch touched, with its git blob id after patching. */
  readonly files: readonly { readonly path: string; readonly blob: string }[];
}

/** The state that a tree has once a selection was applied to it. */
export function stateOf(seriesSha256: string, { patches, overlay, skipped, targets }: Selection): PatchState {
  return {
    seriesSha256,
    applied: patches.map(({ file, sha256 }) => ({ file, sha256 })),
    skipped,
    overlay: overlay.map(({ path, sha256 }) => ({ path, sha256 })),
    files: targets.flatMap(({ path, final }) => (final === null ? [] : [{ path, blob: final }])),
  };
}
