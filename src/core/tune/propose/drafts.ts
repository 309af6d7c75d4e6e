import { modes } from '../../deepspeed/modes/registry.ts';
import type { Case, ModeName, ModelShape, System } from '../../experiment/case.ts';
import { microBatchesOf, withMicroBatch } from '../../search/batch-variants.ts';
import type { TuneRequest } from '../request.ts';
import { variantsOf, type Variant } from './variants.ts';

/** A way to train one size in one mode, before its ratio. */
export interface Draft {
  readonly subject: Case;
  readonly variant: Variant;
  readonly bindCores: boolean;
}

/** Every way worth a look, without a thought of memory. */
export function draftsOf(
  { base, fixed, numaNodes }: TuneRequest,
  system: System,
  { mode, model }: { readonly mode: ModeName; readonly model: ModelShape },
): Draft[] {
  const own: Case = { ...base, model, mode, ratio: modes[mode].defaultRatio };
  const bindings = fixed.bindCores === null ? bindingsOf(system, numaNodes) : [fixed.bindCores];
  return waysOf(own, fixed).flatMap((way) =>
    variantsOf(base, mode, system).flatMap((variant) =>
      bindings.map((bindCores) => ({
        subject: { ...way, deepspeedOverrides: { ...base.deepspeedOverrides, ...variant.overrides } },
        variant,
        bindCores,
      })),
    ),
  );
}

/**
 * Micro-batches that divide a rank's share of the global batch, with and without recomputation, and what recomputation
 * keeps on the GPU or on the host. The global batch stays: nothing that is learnt changes but the order of sums.
 */
function waysOf(subject: Case, fixed: TuneRequest['fixed']): Case[] {
  const all = microBatchesOf(subject);
  const sizes = fixed.microBatch === null ? all : all.filter((size) => size === fixed.microBatch);
  const recomputes = fixed.activationCheckpointing === null ? [false, true] : [fixed.activationCheckpointing];
  return sizes.flatMap((size) =>
    recomputes.flatMap((recompute) =>
      keptOnHost(recompute, fixed.activationOffload).map((activationOffload) => ({
        ...withMicroBatch(subject, size, recompute),
        activationOffload,
      })),
    ),
  );
}

function keptOnHost(recompute: boolean, asked: boolean | null): boolean[] {
  if (!recompute) return [false];
  return asked === null ? [false, true] : [asked];
}

/** Where the system binds by itself there is nothing to choose; with one NUMA node there is little. */
function bindingsOf({ site }: System, numaNodes: number | null): boolean[] {
  const nodes = site.hostNumaNodes?.length ?? numaNodes ?? 1;
  return site.binding === 'none' && nodes > 1 ? [false, true] : [false];
}
