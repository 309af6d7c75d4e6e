/**
 * The one error type of the program, and the only place where an error becomes an exit code.
 * An outcome of a run (out of memory, timeout, crash) is data, never an exception.
 */

/** What went wrong: see {@link exitCodes} for what each means to a shell. */
export type ErrorCode =
  | 'usage'
  | 'config'
  | 'environment'
  | 'install'
  | 'run_failed'
  | 'regression'
  | 'inconclusive'
  | 'interrupted'
  | 'hangup'
  | 'terminated';

export const exitCodes = {
  usage: 2,
  config: 2,
  environment: 3,
  install: 3,
  run_failed: 4,
  regression: 5,
  inconclusive: 6,
  interrupted: 130,
  hangup: 129,
  terminated: 143,
} as const satisfies Record<ErrorCode, number>;

/** One fault in what the user gave: where it is, what is wrong, what was expected there. */
export interface Fault {
  /** A flag, an environment variable, or `file:line:column` or `file /json/path`. */
  readonly place: string;
  readonly problem: string;
  readonly expected?: string;
}

interface ErrorDetails {
  readonly code: ErrorCode;
  readonly message: string;
  /** What the user can do next. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** An expected failure: shown as a message and a hint, never with a stack. */
export class SuperOffloadError extends Error {
  override readonly name = 'SuperOffloadError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;

  constructor({ code, message, hint, cause }: ErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint;
  }
}

/** Builds one error from all faults of one input, so that a user mends them in one go. */
export function faultsError(code: ErrorCode, faults: readonly Fault[], hint?: string): SuperOffloadError {
  const message = faults.map(formatFault).join('\n');
  return new SuperOffloadError({ code, message, ...(hint === undefined ? {} : { hint }) });
}

function formatFault({ place, problem, expected }: Fault): string {
  if (expected === undefined) return `${place}: ${problem}`;
  const isQuestion = expected.startsWith('did you mean');
  return `${place}: ${problem} (${isQuestion ? '' : 'expected '}${expected})`;
}

/** 1 stands for a bug: anything that was not foreseen. */
export function exitCodeOf(error: unknown): number {
  return error instanceof SuperOffloadError ? exitCodes[error.code] : 1;
}
