import type { LauncherName } from '../experiment/case.ts';
import type { NodeBinding } from './binding.ts';
import type { NodeLayout } from './layout.ts';
import { deepspeedLauncher } from './launchers/deepspeed.ts';
import { pythonLauncher } from './launchers/python.ts';
import { srunLauncher } from './launchers/srun.ts';
import { torchrunLauncher } from './launchers/torchrun.ts';

/** What a launcher turns into a command: one process a chip. */
export interface LaunchRequest {
  /** The stack's Python; launchers are started as its modules, so that PATH decides nothing. */
  readonly python: string;
  /** The training script and its arguments. */
  readonly program: readonly string[];
  /** How the ranks lie on machines: the command is run once on each of them (with srun once a rank). */
  readonly layout: NodeLayout;
  /** Where the ranks meet: 127.0.0.1, or a placeholder where a schedule knows it only at the start. */
  readonly masterAddress: string;
  /** A free port of that machine, or a placeholder. */
  readonly masterPort: string;
  /** What holds each rank to its cores and memory. */
  readonly binding: NodeBinding;
  /** The GPUs to use, where CUDA_VISIBLE_DEVICES says so; null for those that CUDA counts first. */
  readonly gpuIndices: readonly number[] | null;
}

export interface LaunchCommand {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** How the ranks of one run are started. One file a launcher. */
export interface Launcher {
  readonly name: LauncherName;
  /** The largest world size it can start. */
  readonly maxWorldSize: number;
  readonly launch: (request: LaunchRequest) => LaunchCommand;
}

export const launchers = {
  python: pythonLauncher,
  torchrun: torchrunLauncher,
  deepspeed: deepspeedLauncher,
  srun: srunLauncher,
} as const satisfies Record<LauncherName, Launcher>;
