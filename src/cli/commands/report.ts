import { collect, collectNames } from '../flags/values.ts';
import type { CommandModule } from './module.ts';

export const declare: CommandModule['declare'] = (command, io) => {
  command
    .option(
      '--from <source>',
      'runs, a run, a tag, a campaign, a folder, a file or an archive; may be given more than once (default: runs)',
      collect,
    )
    .option('--out <dir>', 'a folder of its own; an earlier report there is replaced', 'superoffload-report')
    .option('--formats <names>', 'of html, md, csv (default: all of them)', collectNames)
    .option('--system <name>', 'only runs of this system')
    .option('--json', 'print JSON: what was written')
    .option('--dry-run', 'print what would be written, write nothing')
    .addHelpText(
      'after',
      '\nThe pages need no network and no server, and may be sent on as a folder: index.html opens from a disk.\n' +
        'Examples:\n  superoffload report\n  superoffload report --from my-campaign --out report --formats html,md',
    )
    .action(async (flags) => {
      const { checkedFormats, reportFormats } = await import('../../workflows/report/formats.ts');
      const { writeReport } = await import('../../workflows/report/write-report.ts');
      const { reportText } = await import('../text/report.ts');
      const result = await writeReport(io.context, {
        from: flags.from ?? [],
        out: flags.out,
        formats: checkedFormats(flags.formats ?? [...reportFormats]),
        system: flags.system ?? null,
        dryRun: flags.dryRun ?? false,
      });
      io.print(flags.json === true ? JSON.stringify(result, null, 2) : reportText(result));
    });
};
