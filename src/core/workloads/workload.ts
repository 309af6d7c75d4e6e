import type { Case, WorkloadName } from '../experiment/case.ts';
import { builtinWorkload } from './builtin.ts';

/** Turns a case into the training script and its arguments; paths are relative to the run folder. */
export interface Workload {
  readonly name: WorkloadName;
  readonly program: (subject: Case, paths: WorkloadPaths) => readonly string[];
}

export interface WorkloadPaths {
  /** Folder of the built-in trainer. */
  readonly trainer: string;
  readonly deepspeedConfig: string;
  /** When this file exists, the trainer ends after its current step. */
  readonly stopFile: string;
}

/** `command` is the user's own and needs no translation. */
export const workloads = {
  builtin: builtinWorkload,
} as const satisfies Partial<Record<WorkloadName, Workload>>;
