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
