import { Option } from '@commander-js/extra-typings';
import type { CommandModule } from './module.ts';

/** Asked by the scripts of `completion` at every press of the key: it is quick, and whatever happens it says nothing else. */
export const declare: CommandModule['declare'] = (command, io) => {
  command
    .addOption(
      new Option('--shell <shell>').choices(['bash', 'zsh', 'fish'] as const).default('fish' as const),
    )
    .argument('[words...]')
    .allowUnknownOption()
    .action(async (words, { shell }) => {
      const { completionLines } = await import('../completion/complete.ts');
      const text = await completionLines(io, shell, words).catch(() => '');
      process.stdout.write(text);
    });
};
