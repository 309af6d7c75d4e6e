import { SuperOffloadError } from '../../errors.ts';
import type { CommandIo, CommandModule } from './module.ts';

interface Flags {
  readonly json?: true;
  readonly csv?: true;
  readonly steps?: true;
}

export const declare: CommandModule['declare'] = (command, io) => {
  command
    .argument('<files...>', 'logs to read, or - for stdin; any tool may have written them')
    .option('--json', 'one JSON array with everything that is known of each log')
    .option('--csv', 'one CSV row a log, units in the column names')
    .option('--steps', 'every iteration line with all of its fields, as it comes: NDJSON, or CSV with --csv')
    .addHelpText(
      'after',
      '\nKnown lines: Megatron-LM, Megatron-DeepSpeed, the built-in trainer, the DeepSpeed engine and launcher.\n' +
        'Examples:\n  superoffload parse train.log\n  gunzip -c train.log.gz | superoffload parse - --steps --csv',
    )
    .action((files, flags) => run(files, flags, io));
};

async function run(files: readonly string[], flags: Flags, io: CommandIo): Promise<void> {
  if (flags.json === true && flags.csv === true) {
    throw new SuperOffloadError({
      code: 'usage',
      message: '--json and --csv exclude each other',
      hint: 'Give one of them.',
    });
  }
  const { parseLogs } = await import('../../workflows/parse.ts');
  const output = await import('../parse-output.ts');
  const options = { files, stdin: process.stdin };
  if (flags.steps === true) {
    const writer = output.stepWriter(flags.csv === true ? 'csv' : 'json', io.print, (file, name) => {
      const message = `${file}: the field ${name} is not in the header, which the first iteration line decides`;
      io.context.emit({ type: 'warning', message, hint: 'without --csv every line keeps all of its fields' });
    });
    await parseLogs(io.context, { ...options, onStep: writer.write });
    writer.close();
    return;
  }
  const logs = await parseLogs(io.context, options);
  if (flags.json === true) io.print(JSON.stringify(logs, null, 2));
  else io.print(flags.csv === true ? output.parseCsv(logs) : output.parseTable(logs));
}
