import type { CommandModule } from './module.ts';

export const declare: CommandModule['declare'] = (command, io) => {
  command
    .option('--python <path>', 'a Python with torch to use, where nothing can be fetched')
    .option('--json', 'print JSON: checks, stack, and measurements')
    .option('--dry-run', 'print what would be installed and run, do nothing')
    .action(async (options) => {
      const { showQuickstart } = await import('../screens/quickstart.ts');
      await showQuickstart(io, {
        python: options.python,
        json: options.json ?? false,
        dryRun: options.dryRun ?? false,
      });
    });
};
