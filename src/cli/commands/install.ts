import type { CommandModule } from './module.ts';

export const declare: CommandModule['declare'] = (command, io) => {
  command
    .option('--stack <name>', 'which stack: pip (torch and DeepSpeed from PyPI)', 'pip')
    .option('--python <path>', 'adopt this Python and its torch; nothing is installed into it')
    .option('--overlay', 'with --python: add what is missing in a private environment over it')
    .option('--torch <version>', 'another torch than the tested one')
    .option('--deepspeed <version>', 'another DeepSpeed than the tested one (0.18 or newer)')
    .option('--offline', 'use no network; needs --find-links, unless --python has everything')
    .option('--find-links <dir>', 'a folder of wheels and source distributions')
    .option('--reinstall', 'start anew although the stack is ready')
    .option('--dry-run', 'print the steps and do nothing')
    .option('--json', 'print the result as JSON')
    .action(async (flags) => {
      const { installStack } = await import('../../workflows/install.ts');
      const report = await installStack(io.context, {
        stack: flags.stack,
        python: flags.python,
        overlay: flags.overlay === true,
        torch: flags.torch,
        deepspeed: flags.deepspeed,
        offline: flags.offline === true,
        findLinks: flags.findLinks,
        reinstall: flags.reinstall === true,
        dryRun: flags.dryRun === true,
      });
      if (flags.json === true) {
        io.print(JSON.stringify(report, null, 2));
        return;
      }
      const { installText } = await import('../install-text.ts');
      io.print(installText(report));
    });
};
