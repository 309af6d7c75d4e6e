import { InvalidArgumentError } from '@commander-js/extra-typings';
import { exitCodes } from '../../errors.ts';
import { parseCount } from '../flags/values.ts';
import type { CommandModule } from './module.ts';

/** One that a vector of any width divides, one that none does, and one that is shared by all threads. */
const usualSizes = [1, 1001, 1_000_003] as const;
/** A check holds about 16 fp32 copies of a subgroup: 6.4 GB at this size. */
const largestSize = 100_000_000;

export const declare: CommandModule['declare'] = (command, io) => {
  command
    .option('--stack <name>', 'which stack', 'pip')
    .option(
      '--sizes <n,...>',
      'elements of a subgroup, for the check of this tool',
      collectSizes,
      usualSizes.slice(),
    )
    .option('--allow-drift', 'check a stack that has changed since its install')
    .option('--dry-run', 'say what would run, and run nothing')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExit status 4 when a check fails.')
    .action(async ({ stack, sizes, json, ...flags }) => {
      const { rollback } = await import('../../workflows/stacks/rollback.ts');
      const dryRun = flags.dryRun === true;
      const allowDrift = flags.allowDrift === true;
      const report = await rollback(io.context, { stack, sizes, dryRun, allowDrift });
      if (json === true) io.print(JSON.stringify(report, null, 2));
      else {
        const { rollbackText } = await import('../text/rollback.ts');
        io.print(rollbackText(report));
      }
      if (report.passed === false) io.exitWith(exitCodes.run_failed);
    });
};

function collectSizes(text: string): number[] {
  return text.split(',').map((word) => {
    const size = parseCount(word.trim());
    if (size > largestSize) throw new InvalidArgumentError(`Expected sizes up to ${largestSize}.`);
    return size;
  });
}
