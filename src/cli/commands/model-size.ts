import { declareFrontierFlags, frontierRequest, parseLayers } from '../flags/frontier.ts';
import type { CommandModule } from './module.ts';

export const declare: CommandModule['declare'] = (bare, io) => {
  const command = declareFrontierFlags(
    bare,
    'go on between two sizes, this many layers apart: 1 layer (default: the sizes of the experiment)',
  ).addHelpText(
    'after',
    '\nWithout --model the largest size that runs is searched for each mode: from the predicted edge, at most' +
      '\nceil(log2 sizes) + 2 launches, the repeat of the smallest that failed included. With --model each size is' +
      '\nrun and said to fit or not. A search that was stopped goes on from its stored runs when it is given again.' +
      '\nA size is a name of `superoffload models`, or LAYERSxHIDDEN.',
  );
  command.action(async (options) => {
    const resolution = options.resolution === undefined ? null : parseLayers(options.resolution);
    const { planModelSize } = await import('../../workflows/model-size/plan-model-size.ts');
    const { showFrontier } = await import('../screens/frontier.ts');
    const { sizeColumns } = await import('../text/frontier.ts');
    const plan = await planModelSize(io.context, frontierRequest(options, resolution));
    await showFrontier(io, plan, {
      dryRun: options.dryRun ?? false,
      json: options.json ?? false,
      columns: sizeColumns,
    });
  });
};
