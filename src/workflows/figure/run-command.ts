import type { FigureKey } from '../../core/figures/figure-data.ts';
import { quoteCommand } from '../../core/launch/quote.ts';
import { flags } from '../../core/workloads/flags.ts';
import type { RunMissing } from './run-missing.ts';

/** The command that goes on with what a figure's `--run` has begun: what was asked for, and nothing that is a default. */
export function figureCommand(figure: FigureKey, run: RunMissing): string {
  const { modes = [], models = [], steps, dtype } = run.flags;
  const { system, stack, chips, repeat, rows = [] } = run;
  const given = {
    ...(system === 'local' ? {} : { system }),
    ...(stack === 'pip' ? {} : { stack }),
    ...(chips === undefined ? {} : { chips }),
    ...(repeat === 1 ? {} : { repeat }),
    ...(steps === undefined ? {} : { steps }),
    ...(dtype === undefined ? {} : { dtype }),
  };
  const words = [
    ...flags(given),
    ...modes.flatMap((mode) => ['--mode', mode]),
    ...models.flatMap((model) => ['--model', model]),
    ...rows.flatMap((row) => ['--row', row]),
  ];
  return quoteCommand(['superoffload', 'figure', String(figure), '--run', ...words]);
}
