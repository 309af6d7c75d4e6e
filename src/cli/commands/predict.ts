import { Option } from '@commander-js/extra-typings';
import { pinnedRoundings, softwareNames } from '../../core/model/software.ts';
import { caseWorkloadOption, declareCaseFlags, requestOf } from '../flags/case.ts';
import type { CommandModule } from './module.ts';

const help = `
Memory comes from formulas read in DeepSpeed 0.19.8's source and checked against every measured run; step time from a
roofline of the system's rates, mostly too short: launch and Python overheads are not in it (bench/predict.md has the
errors of both). Several modes or sizes give a table, one case gives every part. Runs nothing and needs no GPU:
  superoffload predict --system gh200 --mode prism --mode zero_offload --model 10B --model 25B
  superoffload predict --system h200 --mode prism --model 3B`;

export const declare: CommandModule['declare'] = (bare, io) => {
  const command = declareCaseFlags(bare)
    .addOption(caseWorkloadOption)
    .addOption(
      new Option('--pinned-rounding <how>', 'what the host allocator does with pinned blocks').choices(
        pinnedRoundings,
      ),
    )
    .addOption(
      new Option('--software <which>', 'whose memory: DeepSpeed as measured, or what the figures imply')
        .choices(softwareNames)
        .default('measured' as const),
    )
    .addHelpText('after', help);
  command.action(async (options) => {
    const { predictCases } = await import('../../workflows/predict/predict.ts');
    const report = await predictCases(io.context, {
      ...requestOf(options, { dryRun: true }),
      software: options.software,
      pinnedRounding: options.pinnedRounding ?? null,
    });
    if (options.json === true) {
      io.print(JSON.stringify({ schemaVersion: 1, ...report }, null, 2));
      return;
    }
    const { predictText } = await import('../text/predict.ts');
    io.print(predictText(report));
  });
};
