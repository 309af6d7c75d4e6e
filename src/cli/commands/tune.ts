import { declareTuneFlags, tuneCommand } from '../flags/tune.ts';
import type { CommandModule } from './module.ts';

const help = `
Chooses mode, ratio, micro-batch, recomputation, buckets and binding: by prediction first, then by few short runs. What
you give is kept: --ratio, --micro-batch, --ds and so on fix what they name. The global batch, the sequence, the number
format and the clipping are never changed. --mode takes prism (as published, and prism_overlap), zero_offload,
zero_infinity, none (nothing offloaded), or one mode by its name; all where it is not given. Each --model is tuned for
itself, with a budget of its own.
  superoffload tune --model 5B --global-batch 8
  superoffload tune --objective size --max-minutes 20
  superoffload tune --model 2B --system h200 --dry-run
The choice is written to tuned/NAME.json, a DeepSpeed JSON, with its command in tuned/NAME.txt. A tuning that was stopped
goes on when the same command is given again.`;

export const declare: CommandModule['declare'] = (bare, io) => {
  const command = declareTuneFlags(bare).addHelpText('after', help);
  command.action(async (options) => {
    const { showTune } = await import('../screens/tune.ts');
    await showTune(io, tuneCommand(options), { json: options.json ?? false });
  });
};
