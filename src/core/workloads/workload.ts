import type { Case, CaseWorkload } from '../experiment/case.ts';
import { builtinWorkload } from './builtin.ts';
import { megatronWorkload } from './megatron.ts';

/** Turns a case into the training script and its arguments; paths are absolute or relative to the run folder. */
export interface Workload {
  readonly name: CaseWorkload;
  readonly program: (subject: Case, paths: WorkloadPaths) => readonly string[];
  /** What the script reads from its environment. */
  readonly env: (paths: WorkloadPaths) => Readonly<Record<string, string>>;
}

export interface WorkloadPaths {
  /** Folder of the built-in trainer. */
  readonly trainer: string;
  /** Megatron-DeepSpeed's source tree, patched. */
  readonly megatron: string;
  readonly deepspeedConfig: string;
  /** When this file exists, the training script ends after its current step. */
  readonly stopFile: string;
  /** Prefix of a data set in Megatron's format that stands in for `dataPath` where the case has none. */
  readonly syntheticData: string;
}

/** `command` is the user's own and needs no translation. */
export const workloads = {
  builtin: builtinWorkload,
  megatron: megatronWorkload,
} as const satisfies Record<CaseWorkload, Workload>;
