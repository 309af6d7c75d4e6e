import { SuperOffloadError } from '../../errors.ts';
import type { CommandIo, CommandModule } from './module.ts';

const tagHelp = `
A tag stands for the runs that were named, and for no later ones: to keep a baseline. It may be given wherever results are
read: to compare, gate, figure, report and runs export. Of a name that is one already, the runs are replaced.
Examples:
  superoffload runs tag baseline night       the runs of campaign night so far
  superoffload runs tag v1 1a2b 3c4d last
  superoffload runs tag --remove v1`;

interface TagOptions {
  readonly list?: true;
  readonly remove?: string[];
  readonly dryRun?: true;
  readonly json?: true;
}

/** `runs tag`. */
export function declareTag(command: Parameters<CommandModule['declare']>[0], io: CommandIo): void {
  command
    .command('tag')
    .description('let a name stand for some runs, wherever results are read')
    .argument('[name]', 'what they are to be called')
    .argument('[run...]', 'runs by their ids or parts of them, campaigns, other tags')
    .option('--list', 'print all tags')
    .option('--remove <name...>', 'forget tags; their runs stay')
    .option('--dry-run', 'print what would be done')
    .option('--json', 'print JSON')
    .addHelpText('after', tagHelp)
    .action(async (name, runs, options: TagOptions) => {
      const acts = [options.list, options.remove, name].filter((given) => given !== undefined);
      if (acts.length > 1) throw oneOnly();
      if (options.remove !== undefined) await remove(io, options.remove, options);
      else if (name !== undefined) await tag(io, name, runs, options);
      else await list(io, options);
    });
}

async function list(io: CommandIo, { json }: TagOptions): Promise<void> {
  const { listAllTags } = await import('../../workflows/records/tags.ts');
  const { tagsTable } = await import('../text/tag.ts');
  const tags = await listAllTags(io.context);
  io.print(json === true ? JSON.stringify(tags, null, 2) : tagsTable(tags));
}

async function remove(io: CommandIo, names: readonly string[], options: TagOptions): Promise<void> {
  const { removeTags } = await import('../../workflows/records/tags.ts');
  const dryRun = options.dryRun ?? false;
  await removeTags(io.context, names, { dryRun });
  const lines = names.map((each) => `${dryRun ? 'would remove' : 'removed'} tag ${each}`);
  io.print(options.json === true ? JSON.stringify({ dryRun, removed: names }, null, 2) : lines.join('\n'));
}

async function tag(
  io: CommandIo,
  name: string,
  sources: readonly string[],
  options: TagOptions,
): Promise<void> {
  if (sources.length === 0) throw noRuns(name);
  const { tagRuns } = await import('../../workflows/records/tags.ts');
  const { tagText } = await import('../text/tag.ts');
  const dryRun = options.dryRun ?? false;
  const change = await tagRuns(io.context, name, sources, { dryRun });
  io.print(options.json === true ? JSON.stringify({ dryRun, ...change }, null, 2) : tagText(change, dryRun));
}

function oneOnly(): SuperOffloadError {
  return new SuperOffloadError({
    code: 'usage',
    message: 'runs tag does one thing at a time: NAME RUN..., --list, or --remove NAME',
    hint: 'see: superoffload runs tag --help',
  });
}

function noRuns(name: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'usage',
    message: `no runs were named that ${JSON.stringify(name)} is to stand for`,
    hint: 'name some, such as: superoffload runs tag NAME last; all tags: superoffload runs tag --list',
  });
}
