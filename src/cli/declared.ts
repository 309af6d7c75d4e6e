import type { Argument, Command, Option } from '@commander-js/extra-typings';

/** A flag as it is declared: what completion, the man page and their tests read. */
export interface DeclaredFlag {
  /** As it is written: `--mode`, `--no-logs`; the short one where there is no other. */
  readonly name: string;
  readonly short: string | null;
  /** `-m, --mode <mode>`. */
  readonly usage: string;
  readonly value: DeclaredValue | null;
  readonly description: string;
  readonly defaultValue: unknown;
}

/** What a flag or an argument takes. */
export interface DeclaredValue {
  /** Between the brackets, without dots: `mode`, `file`. */
  readonly placeholder: string;
  readonly required: boolean;
  readonly variadic: boolean;
  readonly choices: readonly string[] | null;
}

export interface DeclaredArgument extends DeclaredValue {
  readonly description: string;
}

export interface DeclaredCommand {
  readonly name: string;
  readonly summary: string;
  /** Everything after the summary's place: usage lines, examples. */
  readonly flags: readonly DeclaredFlag[];
  readonly args: readonly DeclaredArgument[];
  readonly commands: readonly DeclaredCommand[];
}

type AnyCommand = Command<unknown[], Record<string, unknown>, Record<string, unknown>>;

/** What a command declares, as plain data; hidden commands and flags are left out. */
export function declared(command: Command): DeclaredCommand {
  return describe(command);
}

function describe(command: AnyCommand): DeclaredCommand {
  const help = command.createHelp();
  return {
    name: command.name(),
    summary: command.description(),
    flags: help.visibleOptions(command).map(flagOf),
    args: command.registeredArguments.map((argument) => argumentOf(argument)),
    commands: help.visibleCommands(command).map((each) => describe(each as AnyCommand)),
  };
}

function flagOf(option: Option): DeclaredFlag {
  const { long, short, flags, required, optional, variadic, argChoices, description } = option;
  const placeholder = /[<[]([^>\]]*?),?(?:\.\.\.)?[>\]]/.exec(flags)?.[1];
  return {
    name: long ?? short ?? flags,
    short: short ?? null,
    usage: flags,
    value:
      required || optional
        ? { placeholder: placeholder ?? '', required, variadic, choices: argChoices ?? null }
        : null,
    description,
    defaultValue: option.defaultValue as unknown,
  };
}

function argumentOf(argument: Argument): DeclaredArgument {
  const { required, variadic, argChoices, description } = argument;
  return { placeholder: argument.name(), required, variadic, choices: argChoices ?? null, description };
}
