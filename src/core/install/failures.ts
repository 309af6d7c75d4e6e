/** Why an install step failed, in words that say what to do. */
import type { ErrorCode } from '../../errors.ts';
import type { InstallStep } from './steps.ts';

interface Explained {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** What a tool's own words mean. The first that matches counts. */
const causes: readonly { readonly pattern: RegExp; readonly code: ErrorCode; readonly hint: string }[] = [
  {
    pattern: /No space left on device|Disk quota exceeded|marshal data too short/i,
    code: 'environment',
    hint: 'the disk is full: free 10 GB, or set SUPEROFFLOAD_HOME (and UV_CACHE_DIR or PIP_CACHE_DIR) elsewhere',
  },
  {
    pattern: /Read-only file system/i,
    code: 'environment',
    hint: 'the file system is read-only: set SUPEROFFLOAD_HOME to a folder that you may write to',
  },
  {
    pattern: /compiled again inside a run/,
    code: 'install',
    hint: 'something on this machine changes how the ops are built from one process to the next; please report it',
  },
  {
    pattern: /Killed signal terminated program|cc1plus.*[Kk]illed/,
    code: 'environment',
    hint: 'the compiler ran out of memory: MAX_JOBS=1 superoffload install',
  },
  {
    pattern:
      /Could not find a version|No matching distribution|No solution found|not found in the (provided )?package locations/i,
    code: 'install',
    hint: 'no such version is there for this Python and platform; with --offline, DIR must hold a file for each package',
  },
  {
    pattern: /hashes? (mismatch|do not match)|DO NOT MATCH THE HASHES/i,
    code: 'install',
    hint: 'a downloaded file is not the one that was resolved: look at your index or mirror',
  },
  {
    pattern:
      /dns error|error sending request|Failed to fetch|Connection (refused|reset|timed out)|Name or service not known|timed? ?out/i,
    code: 'environment',
    hint: 'the package index cannot be reached: check the network and proxy, or use --offline --find-links DIR',
  },
];

/** @param tail the newest lines of the step's output. @param log where all of them are. */
export function explainFailure(
  step: Pick<InstallStep, 'title'>,
  failure: string,
  tail: readonly string[],
  log: string,
): Explained {
  const said = tail.join('\n');
  const cause = causes.find(({ pattern }) => pattern.test(said));
  const again = 'superoffload install goes on from here, or starts clean, when it is called again';
  return {
    code: cause?.code ?? 'install',
    message: [`could not ${step.title} (${failure})`, ...tail.map((line) => `| ${line}`)].join('\n'),
    hint: [...(cause === undefined ? [] : [cause.hint]), `all output: ${log}`, again].join('\n'),
  };
}
