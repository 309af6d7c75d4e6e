import type { CommandModule } from './module.ts';
import { declareCaseFlags, requestOf } from './throughput.ts';

export const declare: CommandModule['declare'] = (bare, io) => {
  declareCaseFlags(bare).action(async (options) => {
    const { planThroughput } = await import('../../workflows/plan-throughput.ts');
    const { configText } = await import('../config-text.ts');
    const plan = await planThroughput(io.context, requestOf(options, { dryRun: true }));
    io.print(options.json === true ? JSON.stringify(plan.plans, null, 2) : configText(plan));
  });
};
