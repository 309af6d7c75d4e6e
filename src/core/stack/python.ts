/** Which Python a stack is built on. */
import { versionOrder } from './version.ts';

/** What a Python said about itself when it ran (experiment/stacks/inspect_python.py). */
export interface PythonFacts {
  /** Its own sys.executable: the real path even when a shim started it. */
  readonly path: string;
  /** Equal for all names of one interpreter, different for each virtual environment. */
  readonly identity: string;
  readonly version: string;
  /** `x86_64`, `aarch64`. */
  readonly machine: string;
  readonly is64Bit: boolean;
  /** The interpreter under a virtual environment, links resolved. */
  readonly base: string;
  readonly hasHeaders: boolean;
  readonly hasVenv: boolean;
  readonly hasEnsurepip: boolean;
  readonly hasPip: boolean;
  readonly sitePackages: readonly string[];
  /** Only when asked for; null without torch. */
  readonly torch: { readonly version: string; readonly cuda: string | null } | null;
  readonly packages: Readonly<Record<string, string>>;
}

/** A candidate that was tried: it counts only when it ran. */
export interface PythonCandidate {
  readonly command: string;
  readonly facts: PythonFacts | null;
  /** Why it does not count; null when it does. */
  readonly problem: string | null;
}

/** Seen working. Newer ones may work; older ones do not (torch and DeepSpeed dropped them). */
export const oldestPython = '3.10';
export const newestSeenPython = '3.12';

export type PythonRank = 'seen' | 'unseen' | 'too old';

/** @param version `3.11.7`. */
export function rankOf(version: string): PythonRank {
  if (versionOrder(version, oldestPython) < 0) return 'too old';
  const minor = version.split('.').slice(0, 2).join('.');
  return versionOrder(minor, newestSeenPython) <= 0 ? 'seen' : 'unseen';
}

/** Can a stack be made with it? Ops need Python.h. */
export function isUsable(facts: PythonFacts): boolean {
  return rankOf(facts.version) !== 'too old' && facts.is64Bit && facts.hasHeaders;
}

/** @returns the first candidate of the best kind: versions seen working come before newer ones. */
export function choosePython(candidates: readonly PythonCandidate[]): PythonFacts | undefined {
  const usable = candidates.flatMap(({ facts }) => (facts !== null && isUsable(facts) ? [facts] : []));
  return usable.find(({ version }) => rankOf(version) === 'seen') ?? usable[0];
}
