import { declareFrontierFlags, frontierRequest, parseTokens } from '../flags/frontier.ts';
import type { CommandModule } from './module.ts';

export const declare: CommandModule['declare'] = (bare, io) => {
  const command = declareFrontierFlags(
    bare,
    'go on between two lengths, this many tokens apart, such as 16K (default: doubling)',
  ).addHelpText(
    'after',
    '\nWithout --sequence-length the longest sequence that runs is searched for each mode and size: doubling, from' +
      '\nthe predicted edge. All chips share each sequence, unless --sequence-parallel says how many do. With' +
      '\n--sequence-length it is run and said to fit or not. A search that was stopped goes on from its stored runs.',
  );
  command.action(async (options) => {
    const resolution = options.resolution === undefined ? null : parseTokens(options.resolution);
    const { planSequenceLength } = await import('../../workflows/sequence-length/plan-sequence-length.ts');
    const { showFrontier } = await import('../screens/frontier.ts');
    const { lengthColumns } = await import('../text/frontier.ts');
    const plan = await planSequenceLength(io.context, frontierRequest(options, resolution));
    await showFrontier(io, plan, {
      dryRun: options.dryRun ?? false,
      json: options.json ?? false,
      columns: lengthColumns,
    });
  });
};
