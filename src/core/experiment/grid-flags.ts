import type { AttentionName, CaseWorkload, Dtype } from './case.ts';

/** The flags of a verb that runs cases which choose or change them; absent means the experiment's own. */
export interface GridFlags {
  readonly workload?: CaseWorkload;
  readonly chips?: number;
  readonly sequenceParallel?: number;
  readonly modes?: readonly string[];
  readonly models?: readonly string[];
  readonly microBatch?: number;
  readonly globalBatch?: number;
  readonly sequenceLength?: number;
  readonly activationCheckpointing?: boolean;
  readonly activationOffload?: boolean;
  readonly attention?: AttentionName;
  readonly fp16LmCrossEntropy?: boolean;
  readonly lossChunk?: number;
  readonly dtype?: Dtype;
  readonly ratio?: number;
  readonly gradientClipping?: number;
  readonly steps?: number;
  readonly seed?: number;
  readonly dropout?: number;
  readonly dataPath?: string;
  readonly vocabFile?: string;
  readonly mergeFile?: string;
  /** `--ds KEY=VALUE` words. */
  readonly deepspeedOverrides?: readonly string[];
  readonly allowUnsafe?: boolean;
  /** `--exclusive-host`: sizes are left out by the memory of the whole node, and not by the share of the chips. */
  readonly exclusiveHost?: boolean;
  /** False: only the batch asked for is run, whether it fits or not. */
  readonly batchRule?: boolean;
}
