import { Argument } from '@commander-js/extra-typings';
import type { CommandModule } from './module.ts';

const installHelp = `
bash: add to ~/.bashrc
  source <(superoffload completion bash)
zsh: write it where zsh looks for functions, before compinit; or add to ~/.zshrc, behind compinit
  superoffload completion zsh > ~/.zfunc/_superoffload      (with fpath+=~/.zfunc)
  source <(superoffload completion zsh)
fish:
  superoffload completion fish > ~/.config/fish/completions/superoffload.fish
In a clone, or where only npx finds it: npx is npm's, and a completion of npx from here would replace the user's own, so
\`npx superoffload\` is not completed. Give it a name before the line above, and type that:
  superoffload() { npx superoffload "$@"; }                     (bash and zsh)
  function superoffload; npx superoffload $argv; end            (fish)
Completes verbs, flags, modes, sizes, systems, stacks, experiments, run ids (newest first, or their last four letters),
tags, campaigns, figures and formats, as they are at that moment; and files where files are wanted.`;

export const declare: CommandModule['declare'] = (command) => {
  command
    .addArgument(new Argument('<shell>', 'whose script').choices(['bash', 'zsh', 'fish'] as const))
    .addHelpText('after', installHelp)
    .action(async (shell) => {
      const { completionScript } = await import('../completion/scripts.ts');
      // As it is: what starts this program is the script's own matter.
      process.stdout.write(completionScript(shell));
    });
};
