import { Command, CommanderError } from '@commander-js/extra-typings';
import { readFileSync } from 'node:fs';
import { createContext } from '../workflows/context.ts';
import { nearest } from '../core/experiment/nearest.ts';
import { exitCodes, SuperOffloadError } from '../errors.ts';
import { createReporter } from './reporter.ts';
import { commands } from './commands/index.ts';
import { unknownFlagHint } from './flags/unknown-flag.ts';
import type { CommandIo } from './commands/module.ts';
import { topics, topicText } from './topics/index.ts';
import { asStarted, resultAsStarted } from './started-as.ts';

/**
 * Declares the program and runs one verb.
 * Only the verb that argv names is loaded, so that `--help` costs little more than Node itself.
 * @returns the exit code of a command that ended without throwing.
 */
export async function runProgram(
  argv: readonly string[],
  signal: AbortSignal,
  force: AbortSignal,
): Promise<number> {
  let exitCode = 0;
  const reporter = createReporter(process.stderr);
  const io: CommandIo = {
    context: createContext(reporter.emit, signal, force),
    print: (result) => {
      const text = resultAsStarted(result);
      process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
    },
    exitWith: (code) => {
      exitCode = code;
    },
  };
  try {
    const topic = argv[0] === 'help' ? await topicText(argv[1], io) : undefined;
    if (topic !== undefined) {
      io.print(topic);
      return 0;
    }
    if (argv[0] === 'help') requireCommand(argv[1]);
    const program = await declareProgram(argv, io);
    if (argv.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(argv, { from: 'user' });
    // Whatever a command made of it: one that was told to stop did not end as it was asked to.
    signal.throwIfAborted();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : exitCodes.usage;
  } finally {
    reporter.close();
  }
  return exitCode;
}

/** commander answers a name that it does not know with the whole usage, and no word on the name. */
function requireCommand(name: string | undefined): void {
  const known = ['help', ...commands.map((each) => each.name)];
  if (name === undefined || name.startsWith('-') || known.includes(name)) return;
  const all = [...topics.map((each) => each.name), ...known];
  const near = nearest(name, all);
  throw new SuperOffloadError({
    code: 'usage',
    message: `there is no command and no topic ${JSON.stringify(name)}`,
    hint: near === undefined ? 'see: superoffload --help' : `did you mean ${near}?`,
  });
}

/** @param argv whose verb is loaded, and says all of its flags; of the others the name is enough. */
export async function declareProgram(argv: readonly string[], io: CommandIo): Promise<Command> {
  const wanted = argv.filter((word) => !word.startsWith('-'))[argv[0] === 'help' ? 1 : 0];
  const program = new Command('superoffload');
  program
    .description(
      'Install, run and measure CPU-offload training: SuperOffload/PRISM, ZeRO-Offload, ZeRO-Infinity.',
    )
    .version(packageVersion(), '-V, --version')
    .helpCommand('help [command]', 'say more about a command, or about a topic')
    .addHelpText(
      'after',
      '\nStart with:  superoffload quickstart\nMain job:    superoffload throughput --chips 4' +
        `\nTopics:      superoffload help ${topics.map(({ name }) => name).join('|')}`,
    )
    .configureOutput({
      writeOut: (text) => void process.stdout.write(asStarted(text)),
      writeErr: (text) => void process.stderr.write(asStarted(text)),
      outputError: (text, write) => {
        const own = program.commands.find((each) => each.name() === wanted);
        const flags = own?.options.map(({ long }) => long ?? '') ?? [];
        const verbs = commands.map(({ name }) => name);
        const hint = unknownFlagHint(text, argv, verbs, flags);
        write(hint === null ? text : `${text.trimEnd()}\n(${hint})\n`);
      },
    })
    .showHelpAfterError('(run with --help for the flags)')
    // A verb with an action and subcommands leaves the flags after a subcommand's name to it.
    .enablePositionalOptions()
    .exitOverride();
  await declareVerbs(program, io, (name) => name === wanted);
  return program;
}

/** @param isWanted which verbs are loaded, and say all of their flags; of the others the name is enough. */
export async function declareVerbs(
  program: Command,
  io: CommandIo,
  isWanted: (name: string) => boolean,
): Promise<void> {
  for (const { name, summary, load, hidden = false } of commands) {
    const command = new Command(name).description(summary).copyInheritedSettings(program);
    program.addCommand(command, { hidden });
    if (isWanted(name)) (await load()).declare(command, io);
  }
}

function packageVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
