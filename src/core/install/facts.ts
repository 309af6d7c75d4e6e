/** Everything an install plan is decided from. */
import type { StackOrigin } from '../stack/lock.ts';
import type { OpName } from '../stack/ops.ts';
import type { PythonFacts } from '../stack/python.ts';
import type { Requirement } from './requirements.ts';
import type { SourceFacts } from './source-steps.ts';

/** What installs packages: uv's own command, or pip inside (or beside) the new environment. */
export type Installer =
  | { readonly kind: 'uv'; readonly command: readonly string[] }
  | {
      readonly kind: 'pip';
      /** Seeded by ensurepip, found among the packages under an overlay, or run from its own wheel file. */
      readonly from: 'ensurepip' | 'packages' | { readonly wheel: string };
    };

export interface StackFolders {
  readonly directory: string;
  readonly venv: string;
  readonly bin: string;
  readonly requirements: string;
  readonly bytecode: string;
  readonly packagesDone: string;
  readonly lock: string;
  readonly manifest: string;
  /** One work tree an upstream. */
  readonly sources: string;
  readonly extraRequirements: string;
  readonly extrasDone: string;
}

export interface InstallFacts {
  readonly origin: StackOrigin;
  readonly folders: StackFolders;
  readonly python: PythonFacts;
  readonly installer: Installer;
  /** For a private stack all requirements, for the others those that are missing. */
  readonly packages: readonly Requirement[];
  /** True when `packages` is complete: nothing else may be pulled in. False: the installer resolves the rest. */
  readonly isComplete: boolean;
  /** The packed requirements text when it is used as it is, else null. */
  readonly requirementsText: string | null;
  readonly findLinks: string | null;
  readonly isOffline: boolean;
  /** Identifies what packages.json stands for. */
  readonly packagesKey: string;
  /** Packages of exactly this key are in place from an earlier, interrupted install. */
  readonly packagesReady: boolean;
  readonly sources: SourceFacts;
  readonly opsDirectory: string;
  readonly ops: readonly OpName[];
  /** The ninja of the machine, used where no package brings one; null without. */
  readonly systemNinja: string | null;
  readonly checkProgram: string;
}
