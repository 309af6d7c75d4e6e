import type { Command } from '@commander-js/extra-typings';
import type { Context } from '../../workflows/context.ts';

/** What the program hands to a command: its ports, and the two places where text may go. */
export interface CommandIo {
  readonly context: Context;
  /** Writes results to stdout. */
  readonly print: (text: string) => void;
  /** Sets the exit code of a command that worked but whose answer is "no" (doctor, a failed run). */
  readonly exitWith: (code: number) => void;
}

/** One verb: declares its flags on `command` and sets an action that imports its workflow lazily. */
export interface CommandModule {
  readonly declare: (command: Command, io: CommandIo) => void;
}
