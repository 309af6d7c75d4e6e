import { Option } from '@commander-js/extra-typings';
import { workloadNames, type WorkloadName } from '../../core/experiment/case.ts';
import { faultsError, SuperOffloadError, type Fault } from '../../errors.ts';
import { given } from '../flags/given.ts';
import { declareCaseFlags, requestOf, trainerFlagFaults, type CaseOptions } from '../flags/case.ts';
import { parseCount, parseDuration, parseShare } from '../flags/values.ts';
import type { CommandModule } from './module.ts';

export const declare: CommandModule['declare'] = (bare, io) => {
  const command = declareCaseFlags(bare)
    .option('--max-error <share>', 'stop once the 95% interval is this narrow', parseShare, 0.02)
    .option('--all-steps', 'run all steps, however stable')
    .option('--fixed-batch', 'run the batch as it is, also where the paper would look for one that fits')
    .option('--repeat <r>', 'launches of each case, in turns', parseCount, 1)
    .option('--timeout <duration>', 'end a run after this long, such as 10m', parseDuration)
    .option('--stall-timeout <duration>', 'call a run hung after this long without a step', parseDuration)
    .addOption(
      new Option('--workload <name>', 'what trains').choices(workloadNames).default('builtin' as const),
    )
    .option(
      '--timeline [step]',
      'write what happens within one step (default: 8), for: figure timeline',
      parseCount,
    )
    .option('--dry-run', 'print what would run, start nothing')
    .argument('[command...]', 'with --workload command: what to run, after --');
  command.action(async (words, options) => {
    const request = requestOf(options, {
      maxError: options.allSteps === true ? null : options.maxError,
      limits: {
        ...given('timeoutMs', options.timeout),
        ...given('minStallMs', options.stallTimeout),
        ...(options.stallTimeout === undefined ? {} : { firstStepMs: options.stallTimeout, stallFactor: 0 }),
      },
      command: commandWords(options, words),
      ...(options.timeline === undefined
        ? {}
        : { timeline: options.timeline === true ? 'usual' : options.timeline }),
      dryRun: options.dryRun ?? false,
    });
    const planned =
      options.fixedBatch === true ? { ...request, flags: { ...request.flags, batchRule: false } } : request;
    const { showThroughput } = await import('../screens/throughput.ts');
    await showThroughput(io, planned, { repeat: options.repeat, json: options.json ?? false });
  });
};

function commandWords(
  options: CaseOptions & { readonly workload: WorkloadName; readonly timeline?: unknown },
  words: readonly string[],
): readonly string[] | null {
  const { workload } = options;
  const faults = workload === 'command' ? [...trainerFlagFaults(options), ...timelineFault(options)] : [];
  if (faults.length > 0) throw faultsError('usage', faults);
  if (workload !== 'command' && words.length > 0) {
    throw new SuperOffloadError({
      code: 'usage',
      message: `unexpected words: ${words.join(' ')}`,
      hint: 'to measure a command of your own: superoffload throughput --workload command -- COMMAND...',
    });
  }
  if (workload === 'command' && words.length === 0) {
    throw new SuperOffloadError({
      code: 'usage',
      message: '--workload command needs a command',
      hint: 'for example: superoffload throughput --workload command -- python train.py',
    });
  }
  return workload === 'command' ? words : null;
}

/** As core/plan/traced-step.ts says of other workloads. */
function timelineFault({ timeline }: { readonly timeline?: unknown }): Fault[] {
  const expected = '--workload builtin, the trainer of this tool';
  return timeline === undefined
    ? []
    : [{ place: '--timeline', problem: 'a command of your own writes none', expected }];
}
