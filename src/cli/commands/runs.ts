import { declareArchive } from './runs-archive.ts';
import { declareTag } from './runs-tag.ts';
import { collectNames } from '../flags/values.ts';
import type { CommandIo, CommandModule } from './module.ts';

const listHelp = `
Examples:
  superoffload runs list --case mode=prism,prism_overlap --state ok
  superoffload runs list night --state gpu_oom,host_oom     of a tag or campaign`;

export const declare: CommandModule['declare'] = (command, io) => {
  command
    .command('list')
    .description('stored runs, oldest first')
    .argument('[run...]', 'runs by their ids or parts of them, tags, campaigns (default: all)')
    .option('--case <filter...>', 'only cases such as mode=prism,model=2B')
    .option('--state <states>', 'only those that stand so, such as ok,gpu_oom,running', collectNames)
    .option('--json', 'print JSON')
    .addHelpText('after', listHelp)
    .action(async (sources, { case: filters = [], state: states = [], json }) => {
      const { listRuns } = await import('../../workflows/runs/list-runs.ts');
      const { runsTable } = await import('../text/runs.ts');
      const listings = await listRuns(io.context, { sources, filters, states });
      const chosen = sources.length + filters.length + states.length > 0;
      io.print(json === true ? JSON.stringify(listings, null, 2) : runsTable(listings, chosen));
    });
  command
    .command('show')
    .description('everything known about one run')
    .argument('<run>', 'its id, the beginning or the end of it, "last", or a tag of one run')
    .option('--json', 'print JSON: the record')
    .action(async (run, options) => {
      const { loadRun } = await import('../../workflows/runs/runs.ts');
      const { runText } = await import('../text/runs.ts');
      const loaded = await loadRun(io.context, run);
      io.print(
        options.json === true ? JSON.stringify(loaded.record ?? loaded.run, null, 2) : runText(loaded),
      );
    });
  declareLive(command, io);
  declareActing(command, io);
  declareTag(command, io);
  declareArchive(command, io);
};

function declareLive(command: Parameters<CommandModule['declare']>[0], io: CommandIo): void {
  command
    .command('watch')
    .description('follow a run to its end and see to its record, in place of a superoffload that is gone')
    .argument('<run>', 'its id, the beginning or the end of it, "last", or a tag of one run')
    .option('--json', 'print JSON: the record')
    .action(async (run, options) => {
      const { showWatched } = await import('../screens/watch.ts');
      await showWatched(io, run, options.json ?? false);
    });
  command
    .command('cancel')
    .description('end a run, on every machine that it is on')
    .argument('<run...>', 'ids, or the beginning or the end of them')
    .option('--json', 'print JSON: the records')
    .option('--dry-run', 'print what would be ended')
    .action(async (runs, options) => {
      const { showCancelled } = await import('../screens/watch.ts');
      await showCancelled(io, runs, { json: options.json ?? false, dryRun: options.dryRun ?? false });
    });
}

function declareActing(command: Parameters<CommandModule['declare']>[0], io: CommandIo): void {
  command
    .command('logs')
    .description("print a run's log")
    .argument('<run>', 'its id, the beginning or the end of it, "last", or a tag of one run')
    .option('--follow', 'go on until the run ends')
    .action(async (run, options) => {
      const { printLog } = await import('../../workflows/runs/run-log.ts');
      // As it is: a log need not end with a line feed, nor be text that fits into memory.
      await printLog(io.context, run, options.follow ?? false, (bytes) => {
        process.stdout.write(Buffer.from(bytes));
      });
    });
  command
    .command('replay')
    .description('repeat a run from its plan')
    .argument('<run>', 'its id, the beginning or the end of it, "last", or a tag of one run')
    .option('--json', 'print JSON: the new record')
    .option('--dry-run', 'print what would run, start nothing')
    .option('--allow-drift', 'although files of the stack changed since it was installed; recorded')
    .action(async (run, options) => {
      const { showReplay } = await import('../screens/replay.ts');
      await showReplay(io, run, {
        ...{ json: options.json ?? false, dryRun: options.dryRun ?? false },
        allowDrift: options.allowDrift ?? false,
      });
    });
  command
    .command('rm')
    .description('remove runs with their logs and records')
    .argument('<run...>', 'ids or parts of them, tags, campaigns')
    .option('--dry-run', 'print what would be removed')
    .action(async (runs, options) => {
      const { removeRuns, runsToRemove } = await import('../../workflows/runs/runs.ts');
      const ids = await runsToRemove(io.context, runs);
      if (options.dryRun !== true) await removeRuns(io.context, ids);
      io.print(ids.map((id) => `${options.dryRun === true ? 'would remove' : 'removed'} ${id}`).join('\n'));
    });
}
