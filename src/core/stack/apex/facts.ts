/** What the choice between building Apex and its overlay is made from. */
import type { ApexSource } from './source.ts';
import type { Installer } from '../../install/facts.ts';
import type { StackOrigin } from '../lock.ts';

/** A CUDA toolkit on this machine. */
export interface CudaToolkit {
  /** What CUDA_HOME is set to. */
  readonly home: string;
  /** `12.4`; null when its nvcc does not say. */
  readonly version: string | null;
}

/** Everything that is decided from. */
export interface ApexBuildFacts {
  readonly origin: StackOrigin;
  /** The interpreter of the stack. */
  readonly python: string;
  readonly installer: Installer;
  /** Of the pip that would install; null with uv, and where it does not say. */
  readonly pipVersion: string | null;
  /** Apex's work tree. */
  readonly directory: string;
  /** null before it was fetched. */
  readonly source: ApexSource | null;
  /** Version of the stack's torch, and its torch.version.cuda; null for a build without CUDA. */
  readonly torch: { readonly version: string; readonly cuda: string | null };
  readonly accelerator: 'cuda' | 'cpu';
  /** Compute capabilities of the GPUs, `9.0`. */
  readonly capabilities: readonly string[];
  /** Best first, as torch looks for them. */
  readonly toolkits: readonly CudaToolkit[];
  readonly memoryBytes: number;
  readonly cores: number;
  /** MAX_JOBS of the caller, who may know better. */
  readonly maxJobs: string | undefined;
  /** Compiled modules of an Apex that this Python already has; null without one. */
  readonly present: readonly string[] | null;
  /** check_apex.py. */
  readonly checkProgram: string;
}
