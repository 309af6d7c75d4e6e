import { InvalidArgumentError, Option, type Command } from '@commander-js/extra-typings';
import { objectives } from '../../core/tune/tuning.ts';
import type { TuneCommand } from '../../workflows/tune/tune-request.ts';
import { caseWorkloadOption, declareCaseFlags, requestOf } from './case.ts';
import { given } from './given.ts';
import { parseDuration, parseNumber, parseShare } from './values.ts';

/** The flags of `tune`: those of a case, of which what is given is kept, and how far the search goes. */
export function declareTuneFlags(command: Command) {
  return declareCaseFlags(command)
    .addOption(caseWorkloadOption)
    .optionsGroup('The tuning:')
    .addOption(
      new Option('--objective <what>', 'throughput of a size, or the largest size that trains')
        .choices(objectives)
        .default('throughput' as const),
    )
    .option('--max-trials <n>', 'launches of a size at most; 0 chooses by prediction alone', parseNumber, 8)
    .option(
      '--max-minutes <minutes>',
      'minutes of a size at most, all its launches together',
      parseMinutes,
      8,
    )
    .option('--margin <share>', 'memory that the choice leaves free, GPU and host', parseMargin, 0.05)
    .option('--max-error <share>', 'stop a trial once its 95% interval is this narrow', parseShare, 0.02)
    .option('--timeout <duration>', 'end a trial after this long, such as 3m', parseDuration)
    .option('--fresh', 'measure all anew (default: earlier runs of the same case and stack count)')
    .option('--out <dir>', 'where the files of the choice go', 'tuned')
    .option('--force', 'overwrite files there that are not of this tuning')
    .option('--dry-run', 'print candidates, prediction and first trial, start nothing');
}

export type TuneOptions = ReturnType<ReturnType<typeof declareTuneFlags>['opts']>;

export function tuneCommand(options: TuneOptions): TuneCommand {
  const { objective, maxTrials, maxMinutes, margin, out } = options;
  const request = requestOf(options, {
    maxError: options.maxError,
    limits: given('timeoutMs', options.timeout),
    dryRun: options.dryRun ?? false,
  });
  return {
    ...request,
    ...{ objective, out },
    budget: { maxTrials, maxMinutes, memoryMargin: margin },
    bindsCores: options.bindCores ?? false,
    fresh: options.fresh ?? false,
    force: options.force ?? false,
  };
}

/** A number of minutes above 0, such as `8` or `0.5`. */
function parseMinutes(text: string): number {
  const minutes = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || minutes <= 0) {
    throw new InvalidArgumentError('Expected a number of minutes above 0, such as 8 or 0.5.');
  }
  return minutes;
}

/** A share that leaves something to use. */
function parseMargin(text: string): number {
  const share = parseShare(text);
  if (share > 0.5) throw new InvalidArgumentError('Expected a share of at most 50%, such as 5% or 0.05.');
  return share;
}
