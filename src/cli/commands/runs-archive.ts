import type { CommandIo, CommandModule } from './module.ts';
import { collect, parseCount } from '../flags/values.ts';

type Parent = Parameters<CommandModule['declare']>[0];

const exportHelp = `
An archive holds of each run its record, plan, DeepSpeed JSON, scripts, environment, events and logs, and the lock of the
stack that ran it, the tags of the runs, and the data of the figures; a manifest.json with the sha256 of each file comes
first. Not checkpoints or caches that a run left in its folder. Secrets are hidden, as in env.json, in every one of these files.
The same runs and tags give the same bytes. FILE.tar.zst needs Node 22.15 or the program zstd.
Every verb with --from reads an archive as it is.
Examples:
  superoffload runs export --archive h200.tar.gz
  superoffload runs export --archive two.tar.zst --no-logs 1a2b 3c4d
  superoffload figure 10 --from h200.tar.gz`;

const importHelp = `
Every file is checked against the manifest, and a run takes its place once all of the archive has proved right. Nothing
outside the target folder is written, no run that is there is replaced, and links, devices and paths that lead
elsewhere are refused with the whole archive. Tags come along into a state folder; one that stands for something else
here stays as it is, and that is said.
A plan is a command: before \`runs replay\` of a run that somebody else made, read it with \`runs replay --dry-run\`.`;

/** `runs export` and `runs import`. */
export function declareArchive(command: Parent, io: CommandIo): void {
  command
    .command('export')
    .description('pack runs with all that belongs to them into an archive, without secrets')
    .argument('[run...]', 'ids, or the beginning or the end of them (default: all)')
    .requiredOption('--archive <archive>', 'the file to write: FILE.tar.gz or FILE.tar.zst')
    .option('--from <source>', 'runs, a tag, a campaign, a folder of runs; may be repeated', collect)
    .option('--no-logs', 'leave out what the ranks printed')
    .option('--no-figures', 'leave out the data of the figures that the runs can draw')
    .option('--force', 'replace an archive of that name')
    .option('--dry-run', 'print what would be packed, write nothing')
    .option('--json', 'print JSON')
    .addHelpText('after', exportHelp)
    .action(async (runs, { archive, from = [], logs, figures, force, dryRun, json }) => {
      const { exportRuns } = await import('../../workflows/archive/export-runs.ts');
      const { exportText } = await import('../text/archive.ts');
      const report = await exportRuns(io.context, {
        ...{ archive, sources: [...runs, ...from], logs, figures },
        ...{ force: force ?? false, dryRun: dryRun ?? false },
      });
      io.print(json === true ? JSON.stringify(report, null, 2) : exportText(report));
    });
  command
    .command('import')
    .description('unpack the runs of an archive; none that is there is replaced')
    .argument('<archive>', 'what `runs export` wrote')
    .option('--into <dir>', 'folder for the run folders (default: runs of the state folder)')
    .option('--max-size <GiB>', 'what it may unpack to (default: what its size can mean)', parseCount)
    .option('--dry-run', 'check everything, write nothing')
    .option('--json', 'print JSON')
    .addHelpText('after', importHelp)
    .action(async (archive, { into = null, maxSize = null, dryRun = false, json }) => {
      const { importRuns } = await import('../../workflows/archive/import-runs.ts');
      const { importText } = await import('../text/archive.ts');
      const report = await importRuns(io.context, { archive, into, maxGiB: maxSize, dryRun });
      io.print(json === true ? JSON.stringify(report, null, 2) : importText(report));
    });
}
