import { exitCodes } from '../../errors.ts';
import type { CommandIo, CommandModule } from './module.ts';

export const declare: CommandModule['declare'] = (command, io) => {
  command
    .command('list')
    .description('all stacks: what they hold, and whether they can be used here')
    .option('--size', 'measure what each takes on the disk')
    .option('--json', 'print JSON')
    .action(async (options) => {
      const { listStacks } = await import('../../workflows/stacks/stacks.ts');
      const { stacksTable } = await import('../text/stacks.ts');
      const listings = await listStacks(io.context, { size: options.size ?? false });
      io.print(options.json === true ? JSON.stringify(listings, null, 2) : stacksTable(listings));
    });
  command
    .command('show')
    .description('everything that the lock of a stack says')
    .argument('[stack]', 'its name', 'pip')
    .option('--size', 'measure what it takes on the disk')
    .option('--json', 'print JSON')
    .action(async (name, options) => {
      const { showStack } = await import('../../workflows/stacks/stacks.ts');
      const { stackText } = await import('../text/stacks.ts');
      const shown = await showStack(io.context, name, { size: options.size ?? false });
      io.print(options.json === true ? JSON.stringify(shown, null, 2) : stackText(shown));
    });
  declareComparing(command, io);
  declareRemove(command, io);
};

/** Where the two looks at a stack end: the issue of a tool that proves is what its proof leaves out. */
const verifyHelp = `
Reads the content of every file: installed packages against the hashes of their RECORD files, upstream work trees,
compiled ops and the interpreter against what the install wrote down. Exit status 3 when anything differs.

The quick check before every run reads no file: it compares names, sizes, times and modes. It does not find a change
that keeps the size and restores the time, nor a change inside an installed package whose RECORD was left alone;
this command finds both. Neither looks at the standard library of the interpreter, nor at bytecode in __pycache__.

Where only times differ, this command lets the quick check know the new ones (not with --dry-run).`;

function declareComparing(command: Parameters<CommandModule['declare']>[0], io: CommandIo): void {
  command
    .command('verify')
    .description('read every file of a stack and say what is not as it was installed')
    .argument('[stack]', 'its name', 'pip')
    .option('--dry-run', 'only look, whatever is found')
    .option('--json', 'print JSON')
    .addHelpText('after', verifyHelp)
    .action(async (name, options) => {
      const { verifyStack } = await import('../../workflows/stacks/verify-stack.ts');
      const { verificationText } = await import('../text/stacks.ts');
      const report = await verifyStack(io.context, name, { dryRun: options.dryRun ?? false });
      io.print(options.json === true ? JSON.stringify(report, null, 2) : verificationText(report));
      if (report.drifts.length > 0) io.exitWith(exitCodes.environment);
    });
  command
    .command('diff')
    .description('how two stacks differ, or a stack from that of a run')
    .argument('<a>', 'a stack, or the id of a run')
    .argument('<b>', 'another one')
    .option('--json', 'print JSON')
    .action(async (a, b, options) => {
      const { diffStacks } = await import('../../workflows/stacks/stacks.ts');
      const { diffText } = await import('../text/stacks.ts');
      const diff = await diffStacks(io.context, a, b);
      io.print(options.json === true ? JSON.stringify(diff, null, 2) : diffText(diff));
    });
}

function declareRemove(command: Parameters<CommandModule['declare']>[0], io: CommandIo): void {
  command
    .command('rm')
    .description('remove stacks that no run and no install is using')
    .argument('<stack...>', 'their names')
    .option('--force', 'also where a run on another machine may be using it')
    .option('--dry-run', 'print what would be removed')
    .option('--json', 'print JSON')
    .action(async (stacks, options) => {
      const { removeStacks, stacksToRemove } = await import('../../workflows/stacks/remove-stacks.ts');
      const names = await stacksToRemove(io.context, stacks, { force: options.force ?? false });
      const isDry = options.dryRun === true;
      if (!isDry) await removeStacks(io.context, names);
      const lines = names.map((name) => `${isDry ? 'would remove' : 'removed'} ${name}`);
      io.print(options.json === true ? JSON.stringify({ dryRun: isDry, names }, null, 2) : lines.join('\n'));
    });
}
