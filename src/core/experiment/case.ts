/**
 * The words that every ring speaks: what is trained (a {@link Case}) and on what (a {@link System}).
 * Plain data; the rules live beside it.
 */

export const modeNames = [
  'prism',
  'prism_overlap',
  'zero_offload',
  'zero_infinity',
  'zero_infinity_param',
  'zero_2',
  'zero_3',
  'ddp',
  'prism_ulysses',
  'ulysses',
] as const;
export type ModeName = (typeof modeNames)[number];

export const dtypes = ['bf16', 'fp16', 'fp32'] as const;
export type Dtype = (typeof dtypes)[number];

/** What trains a case; `command` is the user's own and has no case. */
export const caseWorkloadNames = ['builtin', 'megatron'] as const;
export type CaseWorkload = (typeof caseWorkloadNames)[number];
export const workloadNames = [...caseWorkloadNames, 'command'] as const;
export type WorkloadName = (typeof workloadNames)[number];

/** `sdpa`: torch's scaled_dot_product_attention; `unfused`: the whole matrix of scores in memory. */
export const attentionNames = ['sdpa', 'unfused'] as const;
export type AttentionName = (typeof attentionNames)[number];

export const launcherNames = ['python', 'torchrun', 'deepspeed', 'srun'] as const;
export type LauncherName = (typeof launcherNames)[number];

/** Who gives a run its machines: this one, hosts of a file by ssh, or Slurm. */
export const schedulerNames = ['local', 'hostfile', 'slurm'] as const;
export type SchedulerName = (typeof schedulerNames)[number];

/** How ranks are held to their cores and memory: by DeepSpeed's launcher, by numactl, by srun, or not at all. */
export const bindingNames = ['none', 'deepspeed', 'numactl', 'srun'] as const;
export type BindingName = (typeof bindingNames)[number];

/** A GPT: enough to count its parameters and FLOPs (core/model/shape.ts). */
export interface ModelShape {
  /** The key in model.json, for example `2B`. */
  readonly name: string;
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  /** Rows of the (tied) embedding after padding. */
  readonly paddedVocabulary: number;
}

/** One cell of an experiment: everything that decides what is computed, nothing about where. */
export interface Case {
  readonly experiment: string;
  readonly workload: CaseWorkload;
  readonly mode: ModeName;
  readonly model: ModelShape;
  /** World size: one rank a chip. */
  readonly chips: number;
  /** Ranks that share one sequence (DeepSpeed-Ulysses); data-parallel size = chips / sequenceParallel. */
  readonly sequenceParallel: number;
  /** Sequences a rank and forward pass. */
  readonly microBatch: number;
  /** Sequences an optimizer step, over all ranks. */
  readonly globalBatch: number;
  /** Micro-batches an optimizer step: globalBatch / (microBatch * data-parallel size). */
  readonly gradientAccumulation: number;
  readonly sequenceLength: number;
  readonly activationCheckpointing: boolean;
  /** What activation checkpointing keeps lies in host memory. */
  readonly activationOffload: boolean;
  readonly attention: AttentionName;
  /** The loss of the language model is computed from 16-bit logits and not from fp32 ones (Megatron: fp16 alone). */
  readonly fp16LmCrossEntropy: boolean;
  /** Tokens of a rank whose logits are in memory at one time (built-in); absent: by rule (workloads/loss-chunk.ts). */
  readonly lossChunk?: number;
  readonly dtype: Dtype;
  /** Share of the optimizer on the CPU, 0 to 1; null where the mode has no such setting. */
  readonly ratio: number | null;
  /** Gradient-norm clip; 0 is off. Always explicit, and equal for all modes of one comparison. */
  readonly gradientClipping: number;
  readonly dropout: number;
  /** Optimizer steps planned; a stable measurement may stop earlier. */
  readonly steps: number;
  readonly seed: number;
  /** Megatron .bin/.idx prefix, or null for generated data: the built-in trainer's Markov chain, or a file of it. */
  readonly dataPath: string | null;
  /** GPT-2 vocabulary and merges (Megatron), both or neither; null: token ids alone, no text. */
  readonly vocabFile: string | null;
  readonly mergeFile: string | null;
  /** `--ds KEY=VALUE` overrides, dotted key to JSON value. */
  readonly deepspeedOverrides: Readonly<Record<string, unknown>>;
}

/** A named machine profile. Every number in a system file has a source beside it. */
export interface System {
  readonly name: string;
  readonly title: string;
  /** 'cuda', or 'cpu' where a chip is one CPU rank and a run is functional only. */
  readonly accelerator: 'cuda' | 'cpu';
  /** How the chip is tied to its host: only a superchip may be compared with the paper without a caveat. */
  readonly link: 'c2c' | 'pcie' | 'none';
  readonly chipsPerNode: number;
  readonly gpuName: string | null;
  /** GPU memory a chip, GiB; null without a GPU. */
  readonly gpuGiB: number | null;
  /** Host memory of a node that a run may use, GiB; null where unknown. */
  readonly hostGiB: number | null;
  /**
   * Share of `hostGiB` that belongs to one chip, GiB. A run on fewer chips than a node has may use no more a chip,
   * unless it takes the whole node (`--exclusive-host`). null where unknown.
   */
  readonly hostGiBPerChip: number | null;
  /** 16-bit dense peak a chip, TFLOPS; null where unknown (then there is no MFU). */
  readonly peakTflops: number | null;
  /** CPU cores of a node. */
  readonly cores: number;
  readonly launcher: LauncherName;
  readonly rates: HardwareRates;
  readonly site: Site;
}

/**
 * What a prediction of step time needs. Bandwidths are GB/s (1e9 bytes a second) in one direction while the other is
 * idle; null where nobody stated or measured it.
 */
export interface HardwareRates {
  /** 16-bit dense matrix product as reached, TFLOPS a chip. */
  readonly achievableTflops: number | null;
  /** GPU memory of a chip. */
  readonly hbmGBps: number | null;
  /** Pinned host memory to the GPU, and back, a chip. */
  readonly h2dGBps: number | null;
  readonly d2hGBps: number | null;
  /** Host memory of a node, as the triad counts it. */
  readonly hostGBps: number | null;
  /** DeepSpeed's CPU Adam on all cores of a node, nanoseconds a parameter. */
  readonly adamNsPerParameter: number | null;
  /** Between the chips of a node, a chip. */
  readonly intraNodeGBps: number | null;
  /** Between nodes, a chip. */
  readonly interNodeGBps: number | null;
}

/** How runs are started on a system. */
export interface Site {
  readonly scheduler: SchedulerName;
  /** sbatch options by their long name without dashes; an empty value is an option without one. */
  readonly slurm: Readonly<Record<string, string>>;
  /** Shell lines before the run on every node: modules, activations. */
  readonly setup: readonly string[];
  /** Network variables and the like. */
  readonly env: Readonly<Record<string, string>>;
  readonly binding: BindingName;
  /** NUMA nodes that host memory is taken from; null takes any. GH200's HBM is a NUMA node too. */
  readonly hostNumaNodes: readonly number[] | null;
}

/** The site of a machine that nothing is known about but itself. */
export const plainSite: Site = {
  scheduler: 'local',
  slurm: {},
  setup: [],
  env: {},
  binding: 'none',
  hostNumaNodes: null,
};

export const unknownRates: HardwareRates = {
  achievableTflops: null,
  hbmGBps: null,
  h2dGBps: null,
  d2hGBps: null,
  hostGBps: null,
  adamNsPerParameter: null,
  intraNodeGBps: null,
  interNodeGBps: null,
};
