/**
 * Writes man/superoffload.1 from what the verbs declare and from the help topics: `tsx scripts/man.ts`. A test compares
 * them.
 */
import { Command } from '@commander-js/extra-typings';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { CommandIo } from '../src/cli/commands/module.ts';
import { declared, type DeclaredArgument, type DeclaredCommand } from '../src/cli/declared.ts';
import { declareVerbs } from '../src/cli/program.ts';
import { userVariables } from '../src/cli/topics/environment.ts';
import { exitMeanings } from '../src/cli/topics/exit-codes.ts';
import { topics } from '../src/cli/topics/index.ts';
import { outcomeTable } from '../src/core/logs/outcome-table.ts';
import { createContext } from '../src/workflows/context.ts';

/** Text of roff: nothing in it is a request, a dash is the one that is typed. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('\n', ' ')
    .replace(/^([.'])/, '\\&$1');
}

/** A macro's argument in quotes. */
function quoted(text: string): string {
  return `"${roff(text).replaceAll('"', '\\(dq')}"`;
}

function entry(title: string, text: string): string[] {
  return ['.TP', `.B ${quoted(title)}`, ...(text === '' ? [] : [roff(text)])];
}

function argumentText({ placeholder, required, variadic }: DeclaredArgument): string {
  const name = `${placeholder}${variadic ? '...' : ''}`;
  return required ? `<${name}>` : `[${name}]`;
}

function withChoices(description: string, choices: readonly string[] | null): string {
  return choices === null ? description : `${description} (${choices.join(', ')})`;
}

/** A verb with its flags, then its subcommands with theirs. */
function commandLines(command: DeclaredCommand, path: string): string[] {
  const flags = command.flags.filter(({ name }) => name !== '--help' && name !== '--version');
  const usage = [path, ...(flags.length > 0 ? ['[options]'] : []), ...command.args.map(argumentText)].join(
    ' ',
  );
  const inner = command.commands.filter(({ name }) => name !== 'help');
  return [
    `.SS ${quoted(usage)}`,
    roff(command.summary),
    ...command.args.flatMap((argument) =>
      argument.description === '' ? [] : entry(argumentText(argument), argument.description),
    ),
    ...flags.flatMap(({ usage: flag, description, value }) =>
      entry(flag, withChoices(description, value?.choices ?? null)),
    ),
    ...inner.flatMap((each) => commandLines(each, `${path} ${each.name}`)),
  ];
}

/** The page: no date and no machine, so that the same sources give the same text. */
export async function manPage(): Promise<string> {
  const never = new AbortController().signal;
  const io: CommandIo = {
    context: createContext(() => undefined, never, never),
    print: () => undefined,
    exitWith: () => undefined,
  };
  const program = new Command('superoffload');
  await declareVerbs(program, io, () => true);
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    readonly version: string;
  };
  const verbs = declared(program).commands.filter(({ name }) => name !== 'help');
  return `${[
    '.\\" Written by scripts/man.ts: change the declarations, not this file.',
    `.TH SUPEROFFLOAD 1 "" ${quoted(`superoffload ${version}`)} "User Commands"`,
    '.SH NAME',
    'superoffload \\- install, run and measure CPU\\-offload training',
    '.SH SYNOPSIS',
    '.B superoffload',
    roff('<command> [options]'),
    '.br',
    '.B superoffload help',
    roff('<command|topic>'),
    '.SH DESCRIPTION',
    roff(
      'Installs DeepSpeed into a private, verified stack, generates its configs, launches runs on one machine, several hosts or Slurm, and measures them: SuperOffload (PRISM), ZeRO-Offload and ZeRO-Infinity side by side. Begin with `superoffload quickstart`.',
    ),
    '.SH COMMANDS',
    ...verbs.flatMap((verb) => commandLines(verb, verb.name)),
    '.SH HELP TOPICS',
    ...topics.flatMap(({ name, summary }) => entry(`help ${name}`, summary)),
    '.SH OUTCOMES',
    ...outcomeTable.flatMap(({ class: name, proof }) => entry(name, proof)),
    '.SH EXIT STATUS',
    ...exitMeanings().flatMap(([code, meaning]) => entry(code, meaning)),
    '.SH ENVIRONMENT',
    ...userVariables.flatMap(([name, meaning]) => entry(name, meaning)),
    '.SH FILES',
    ...entry(
      '.superoffload/',
      'the state folder: runs, campaigns, stacks, data sets, tags (see: superoffload help run-folder)',
    ),
    ...entry('experiment/', 'sizes, systems and experiments of your own, in the folder you work in'),
    '.SH SEE ALSO',
    '.BR deepspeed (1),',
    '.BR torchrun (1),',
    '.BR sbatch (1)',
  ].join('\n')}\n`;
}

if (process.argv[1] === import.meta.filename) {
  mkdirSync(new URL('../man/', import.meta.url), { recursive: true });
  writeFileSync(new URL('../man/superoffload.1', import.meta.url), await manPage());
}
