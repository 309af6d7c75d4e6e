import type { Case, ModeName, System } from '../../experiment/case.ts';

/** A mode's own settings beside its published ones. */
export interface Variant {
  /** `--ds` keys; none is the mode as it comes. */
  readonly overrides: Readonly<Record<string, unknown>>;
  readonly why: string | null;
  /** Only the project's overlay knows these keys. */
  readonly needsOverlay: boolean;
  /** It is for memory: of use only where it needs less of it. */
  readonly savesMemory: boolean;
}

const asItComes: Variant = { overrides: {}, why: null, needsOverlay: false, savesMemory: false };

const smallBuckets: Variant = {
  overrides: { 'zero_optimization.sub_group_size': 1e8, 'zero_optimization.reduce_bucket_size': 1e8 },
  why: 'buckets and subgroups of 1e8: 2.48 s a step against 2.76 as published at 2B on an H200',
  needsOverlay: false,
  savesMemory: false,
};

const bucketsOf2e8: Variant = {
  overrides: { 'zero_optimization.reduce_bucket_size': 2e8, 'zero_optimization.allgather_bucket_size': 2e8 },
  why: 'buckets of 2e8: less GPU memory',
  needsOverlay: false,
  savesMemory: true,
};

const registered: Variant = {
  overrides: { 'superoffload.host_memory': 'registered' },
  why: 'host memory registered in place: no rounding to powers of two',
  needsOverlay: true,
  savesMemory: false,
};

const registeredAndFused: Variant = {
  overrides: { 'superoffload.host_memory': 'registered', 'superoffload.casts': 'fused' },
  why: 'host memory registered in place, casts done by Adam',
  needsOverlay: true,
  savesMemory: false,
};

const noSpeculation: Variant = {
  overrides: { 'superoffload.speculation': 0 },
  why: 'no spare blocks: less host memory, but Adam waits for the end of the backward pass',
  needsOverlay: true,
  savesMemory: true,
};

const allSpeculation: Variant = {
  overrides: { 'superoffload.speculation': 1 },
  why: 'a spare block for every subgroup: Adam never waits for the end of the backward pass',
  needsOverlay: true,
  savesMemory: false,
};

const largerSubgroups: Variant = {
  overrides: { 'superoffload.subgroup_elements': 2 ** 26 },
  why: 'subgroups of 67e6: fewer, larger copies (12.6e6 was 16% slower than 33.6e6 at 2B on an H200)',
  needsOverlay: true,
  savesMemory: false,
};

const largestSubgroups: Variant = {
  overrides: { 'superoffload.subgroup_elements': 2 ** 27 },
  why: 'subgroups of 134e6: the fewest steps on the GPU, and waits between them',
  needsOverlay: true,
  savesMemory: false,
};

/** Settings that are there to save memory, and for nothing else. */
export const memorySettings: Readonly<Record<string, unknown>> = {
  ...bucketsOf2e8.overrides,
  ...noSpeculation.overrides,
};

/** Adam is bound by host memory: of many cores not all are needed for it. 14 of 16 were 7% slower than 16 (H200). */
const manyCores = 32;

function fewerThreads(coresOfRank: number): Variant[] {
  if (coresOfRank <= manyCores) return [];
  const threads = Math.floor(coresOfRank / 2);
  return [
    {
      overrides: { 'superoffload.adam_threads': threads },
      why: `${threads} of ${coresOfRank} cores for Adam: host memory is its limit, the others are free for PyTorch`,
      needsOverlay: true,
      savesMemory: false,
    },
  ];
}

const ofMode: Partial<Record<ModeName, readonly Variant[]>> = {
  prism: [smallBuckets],
  zero_offload: [registeredAndFused, registered, bucketsOf2e8],
  zero_infinity: [registered],
  zero_infinity_param: [registered],
  prism_overlap: [noSpeculation, allSpeculation, largerSubgroups, largestSubgroups],
};

/** The mode as it comes, and what else is worth a try; nothing that sets a key which the user has set. */
export function variantsOf(base: Case, mode: ModeName, { cores, chipsPerNode }: System): Variant[] {
  const threads = mode === 'prism_overlap' ? fewerThreads(Math.floor(cores / chipsPerNode)) : [];
  const others = [...(ofMode[mode] ?? []), ...threads];
  return [asItComes, ...others.filter((variant) => !touches(base, variant))];
}

function touches({ deepspeedOverrides }: Case, { overrides }: Variant): boolean {
  return Object.keys(overrides).some((key) => Object.hasOwn(deepspeedOverrides, key));
}
