import type { Fault } from '../../errors.ts';

/** How the ranks of a run lie on machines: `nodes * ranksPerNode` is the world size. */
export interface NodeLayout {
  readonly nodes: number;
  readonly ranksPerNode: number;
}

/** Either a layout or why there is none. */
export type LayoutResult =
  { readonly ok: true; readonly layout: NodeLayout } | { readonly ok: false; readonly fault: Fault };

/**
 * Lays ranks out as the artifact does: one node while they fit, then whole nodes.
 * @param chipsPerNode chips of one node of the system
 */
export function layoutOf(chips: number, chipsPerNode: number): LayoutResult {
  if (chips <= chipsPerNode) return { ok: true, layout: { nodes: 1, ranksPerNode: chips } };
  if (chips % chipsPerNode === 0) {
    return { ok: true, layout: { nodes: chips / chipsPerNode, ranksPerNode: chipsPerNode } };
  }
  const below = chips - (chips % chipsPerNode);
  return {
    ok: false,
    fault: {
      place: `--chips ${chips}`,
      problem: `does not fill whole nodes of ${chipsPerNode} chips`,
      expected: `${below} or ${below + chipsPerNode}`,
    },
  };
}
