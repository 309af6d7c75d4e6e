/** What the machine brings to a stack: recorded at its install, and no part of its hash. */
import type { MachineFacts } from '../machine/facts.ts';
import type { Verification } from '../install/verification.ts';

export interface RuntimeFacts {
  /** Of the library that torch loaded; null where torch was built without it. */
  readonly nccl: string | null;
  readonly cudnn: string | null;
  /** NVIDIA driver; null without a GPU. */
  readonly driver: string | null;
  /** Of the nvcc that builds would use; null without one. */
  readonly cudaToolkit: string | null;
  readonly kernel: string;
}

export function runtimeFacts(
  { nccl, cudnn }: Pick<Verification, 'nccl' | 'cudnn'>,
  { gpus, cuda, kernel }: Pick<MachineFacts, 'gpus' | 'cuda' | 'kernel'>,
): RuntimeFacts {
  return {
    ...{ nccl, cudnn },
    driver: gpus[0]?.driverVersion ?? null,
    ...{ cudaToolkit: cuda.version, kernel },
  };
}
