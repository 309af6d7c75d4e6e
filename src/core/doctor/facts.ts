/** Everything `doctor` looks at, as data. */
import type { MachineFacts } from '../machine/facts.ts';
import type { PythonCandidate } from '../stack/python.ts';

export const toolNames = ['uv', 'git', 'git-lfs', 'ssh', 'g++', 'ninja', 'numactl'] as const;
export type ToolName = (typeof toolNames)[number];

/** A tool counts only when it ran. */
export interface ToolFacts {
  readonly path: string | null;
  /** First line of what it says about its version; null when it is absent or does not run. */
  readonly version: string | null;
}

export interface DoctorFacts {
  readonly machine: MachineFacts;
  readonly accelerator: 'cuda' | 'cpu';
  readonly pythons: readonly PythonCandidate[];
  readonly tools: Readonly<Record<ToolName, ToolFacts>>;
  /** The file system of the state folder. */
  readonly disk: {
    readonly path: string;
    readonly freeBytes: number | null;
    /** Why nothing can be written there; null when it can. */
    readonly problem: string | null;
  };
  /** A free TCP port for the ranks to meet; null when none could be opened. */
  readonly freePort: number | null;
  readonly stacks: readonly {
    readonly name: string;
    readonly torch: string;
    readonly deepspeed: string;
    readonly accelerator: 'cuda' | 'cpu';
    readonly isCurrent: boolean;
  }[];
  /** Stacks that cannot be used: half-made, damaged, or of a newer tool. */
  readonly stackProblems: readonly string[];
}

export type Level = 'ok' | 'warn' | 'missing';

export interface Check {
  readonly id: string;
  /** `missing` stops the main job; `warn` limits it. */
  readonly level: Level;
  readonly found: string;
  /** What to do about it; null where nothing has to be done. */
  readonly fix: string | null;
}
