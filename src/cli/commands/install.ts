import { Option, type Command } from '@commander-js/extra-typings';
import { apexChoices } from '../../core/stack/lock.ts';
import { collect } from '../flags/values.ts';
import type { CommandModule } from './module.ts';

function declareFlags(command: Command) {
  return command
    .option(
      '--stack <name>',
      "pip: torch and DeepSpeed from PyPI; fork: the paper's branches of DeepSpeed and Megatron-DeepSpeed",
      'pip',
    )
    .option('--with <name>', 'add megatron: Megatron-DeepSpeed, for --workload megatron', collect)
    .option(
      '--source <name=url|path>',
      'take deepspeed, megatron or apex from another repository, a mirror or a checkout',
      collect,
    )
    .option('--ref <name=ref>', 'another branch, tag or commit of one', collect)
    .addOption(
      new Option('--apex <how>', 'build Apex, or use plain torch in its place (default: auto)').choices(
        apexChoices,
      ),
    )
    .option('--python <path>', 'adopt this Python and its torch; nothing is installed into it')
    .option('--overlay', 'with --python: add what is missing in a private environment over it')
    .option('--torch <version>', 'another torch than the tested one')
    .option('--deepspeed <version>', 'another DeepSpeed than the tested one (0.18 or newer)')
    .option('--offline', 'use no network; needs --find-links, unless --python has everything')
    .option('--find-links <dir>', 'a folder of wheels and source distributions')
    .option('--reinstall', 'start anew although the stack is ready')
    .option('--dry-run', 'print the steps and do nothing')
    .option('--json', 'print the result as JSON');
}

export const declare: CommandModule['declare'] = (bare, io) => {
  declareFlags(bare).action(async (flags) => {
    const { installStack } = await import('../../workflows/install/install.ts');
    const report = await installStack(io.context, {
      stack: flags.stack,
      python: flags.python,
      overlay: flags.overlay === true,
      torch: flags.torch,
      deepspeed: flags.deepspeed,
      with: flags.with,
      sources: flags.source,
      refs: flags.ref,
      apex: flags.apex,
      offline: flags.offline === true,
      findLinks: flags.findLinks,
      reinstall: flags.reinstall === true,
      dryRun: flags.dryRun === true,
    });
    if (flags.json === true) {
      io.print(JSON.stringify(report, null, 2));
      return;
    }
    const { installText } = await import('../text/install.ts');
    io.print(installText(report));
  });
};
