import type { OutcomeClass } from './events.ts';

/** A line that says why a run ended. */
export interface EvidenceRule {
  readonly outcome: OutcomeClass;
  readonly pattern: RegExp;
  /** Substrings, one of which is in every line that the pattern matches: what a large log is searched for. */
  readonly needles: readonly string[];
  /** Program or file that writes it. */
  readonly source: string;
  /** See LogEvent: the line speaks of another process's failure. */
  readonly cascade?: boolean;
  /** Holds only right below a traceback frame that pins host memory. */
  readonly afterPinning?: boolean;
}

export function rule(
  outcome: OutcomeClass,
  pattern: RegExp,
  needles: readonly string[],
  source: string,
  more: Pick<EvidenceRule, 'cascade' | 'afterPinning'> = {},
): EvidenceRule {
  return { outcome, pattern, needles, source, ...more };
}
