import type { Case, ModeName } from '../../experiment/case.ts';
import type { MemoryInput, PartBytes } from '../../model/memory-parts.ts';

/** A JSON object as DeepSpeed reads it. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** An offload strategy: what it asks of DeepSpeed and what it needs. One file a mode, one line in the registry. */
export interface Mode {
  readonly name: ModeName;
  /** As a table shows it. */
  readonly title: string;
  /** Other spellings that users know. */
  readonly aliases: readonly string[];
  readonly zeroStage: 0 | 2 | 3;
  /** DeepSpeed from PyPI refuses the mode on any other accelerator. */
  readonly needsCuda: boolean;
  /** A training script builds DeepSpeedCPUAdam for these, torch's AdamW for the others. */
  readonly offloadsOptimizer: boolean;
  readonly offloadsParameters: boolean;
  /** SuperOffload's own optimizer: switched on as the DeepSpeed at hand wants it (core/deepspeed/super-offload.ts). */
  readonly superOffload: boolean;
  /** Ranks share each sequence: only with `--sequence-parallel`. */
  readonly sharesSequences: boolean;
  /** The mode reads `--ratio`; its default where nothing is said. */
  readonly defaultRatio: number | null;
  /** Python processes beside the rank itself. */
  readonly workerProcesses: number;
  /** The `zero_optimization` section, without SuperOffload's switch. */
  readonly zeroOptimization: (testCase: Case) => JsonObject;
  /** Sections that the mode adds at the JSON's top level. */
  readonly ownSections: JsonObject;
  /** Bytes a rank, first order. */
  readonly memory: (input: MemoryInput) => readonly PartBytes[];
  /** Where the settings come from. */
  readonly sources: readonly string[];
}

/** `offload_optimizer` of every mode that steps on the CPU. */
export const cpuOffload = { device: 'cpu', pin_memory: true } as const;

export const artifactSource = 'SuperOffload artifact (ASPLOS 2026), DeepSpeed JSON of the mode';
