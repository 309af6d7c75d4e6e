import type { LogEvent } from '../events.ts';

/** One way in which training programs write their logs. A new one is a file and a line in the registry. */
export interface LogFormat {
  readonly name: string;
  /**
   * Plain substrings, one of which is in every line that `parse` understands. A large log is searched for
   * these; all other lines are only counted.
   */
  readonly needles: readonly string[];
  /**
   * @param text a line without launcher prefix and ANSI codes
   * @returns what it says, or undefined where this format has nothing to say about it
   */
  readonly parse: (text: string) => LogEvent | undefined;
}
