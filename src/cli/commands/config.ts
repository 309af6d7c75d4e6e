import { caseWorkloadOption, declareCaseFlags, requestOf } from '../flags/case.ts';
import type { CommandModule } from './module.ts';

export const declare: CommandModule['declare'] = (bare, io) => {
  const command = declareCaseFlags(bare).addOption(caseWorkloadOption);
  command.action(async (options) => {
    const { planThroughput } = await import('../../workflows/throughput/plan-throughput.ts');
    const { configText } = await import('../text/config.ts');
    const plan = await planThroughput(io.context, requestOf(options, { dryRun: true }));
    io.print(options.json === true ? JSON.stringify(plan.plans, null, 2) : configText(plan));
  });
};
