import { Option } from '@commander-js/extra-typings';
import { caseWorkloadNames } from '../../core/experiment/case.ts';
import { defaultRetry } from '../../core/campaign/retry-policy.ts';
import { defaultMaxRetries } from '../../core/campaign/state.ts';
import { declareCaseFlags } from '../flags/case.ts';
import {
  collect,
  collectNames,
  parseCount,
  parseDuration,
  parseHours,
  parseNumber,
  parseShare,
} from '../flags/values.ts';
import type { CommandIo, CommandModule } from './module.ts';

type Bare = Parameters<CommandModule['declare']>[0];

export const declare: CommandModule['declare'] = (command, io) => {
  declareRun(command)
    .argument('<experiment>', 'an experiment (throughput) or its file; with --resume also a campaign')
    .action(async (experiment, options, run) => {
      const { showCampaign } = await import('../screens/campaign.ts');
      const given = Object.keys(options).filter((name) => run.getOptionValueSource(name) === 'cli');
      await showCampaign(io, experiment, { options, given });
    });
  declareLooking(command, io);
  command
    .command('cancel')
    .description('end what runs of a campaign; it can be gone on with')
    .argument('<name>', 'its name')
    .option('--dry-run', 'print what would be ended')
    .option('--json', 'print JSON')
    .action(async (name, options) => {
      const { cancelCampaign } = await import('../../workflows/campaign/cancel.ts');
      const { cancelText } = await import('../text/campaign.ts');
      const report = await cancelCampaign(io.context, name, { dryRun: options.dryRun ?? false });
      io.print(options.json === true ? JSON.stringify(report, null, 2) : cancelText(report));
    });
};

function declareLooking(command: Bare, io: CommandIo): void {
  command
    .command('status')
    .description('how far a campaign is, and the result of each of its cases')
    .argument('[name]', 'its name (default: the one that was active last)')
    .option('--json', 'print JSON')
    .action(async (name, options) => {
      const { campaignStatus } = await import('../../workflows/campaign/status.ts');
      const { statusText } = await import('../text/campaign.ts');
      const status = await campaignStatus(io.context, name ?? null);
      io.print(options.json === true ? JSON.stringify(status, null, 2) : statusText(status));
    });
  command
    .command('list')
    .description('all campaigns')
    .option('--json', 'print JSON')
    .action(async (options) => {
      const { listAllCampaigns } = await import('../../workflows/campaign/status.ts');
      const { campaignsTable } = await import('../text/campaign.ts');
      const listings = await listAllCampaigns(io.context);
      io.print(options.json === true ? JSON.stringify(listings, null, 2) : campaignsTable(listings));
    });
}

/** All flags of `campaign run`. */
export function declareRun(command: Bare) {
  return declareCaseFlags(command.command('run'))
    .description('run every case of an experiment, each once; goes on where it was stopped')
    .addOption(new Option('--workload <name>', 'what trains').choices(caseWorkloadNames))
    .option('--max-error <share>', 'stop a run once its 95% interval is this narrow', parseShare, 0.02)
    .option('--all-steps', 'run all steps, however stable')
    .option('--timeout <duration>', 'end a run after this long, such as 10m', parseDuration)
    .option('--stall-timeout <duration>', 'call a run hung after this long without a step', parseDuration)
    .optionsGroup('The campaign:')
    .option('--name <name>', 'what it is called (default: as the experiment)')
    .option('--filter <key=value,...>', 'only such cases: chips=1,4,mode=prism; may be repeated', collect)
    .option('--fixed-batch', "do not follow the experiment's rule for the batch where memory runs out")
    .option('--repeat <r>', 'launches of each case, in turns', parseCount, 1)
    .option('--resume', 'go on with a campaign that was stopped')
    .option('--accept-changes', 'with --resume: go on although its cases are others now')
    .option('--no-reuse', 'measure anew what other runs have measured already')
    .option(
      '--retry <what>',
      `launch again after such an end: infra, failed, none, or outcomes (default: ${defaultRetry.join(', ')})`,
      collectNames,
    )
    .option('--max-retries <n>', 'such launches of a case at most', parseNumber, defaultMaxRetries)
    .option('--max-hours <h>', 'begin nothing that would not end within so many hours', parseHours)
    .option('--max-jobs <n>', 'jobs in the queue at the same time (Slurm; default: 16)', parseCount)
    .option('--array', 'submit the cases of equal resources as one job array (Slurm)')
    .option('--allocation', 'run all cases in one allocation (Slurm)')
    .option('--list', 'print the cases, start nothing')
    .option('--dry-run', 'print what would run, start nothing')
    .optionsGroup('Options:');
}

export type CampaignOptions = ReturnType<ReturnType<typeof declareRun>['opts']>;
