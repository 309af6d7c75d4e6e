import { exitCodes, faultsError } from '../../errors.ts';
import type { CommandIo, CommandModule } from './module.ts';

const actions = ['list', 'check', 'verify', 'revert'] as const;
type Action = (typeof actions)[number] | 'apply';

export const declare: CommandModule['declare'] = (command, io) => {
  command
    .option('--list', 'each patch with its reason, its upstream thread and how far it is')
    .option('--check', 'try every patch on copies; exit 3 where one does not apply')
    .option('--verify', 'compare every patched file with the lock; exit 3 where one differs')
    .option('--revert', "put the upstreams' own files back")
    .option('--stack <name>', 'installed stack', 'pip')
    .option('--dry-run', 'print what would change, change nothing')
    .option('--json', 'print JSON')
    .action(async (flags) => {
      const { stack, dryRun: isDryRun = false, json: isJson = false } = flags;
      await perform(io, actionOf(flags), { stack, isDryRun, isJson });
    });
};

/** @throws SuperOffloadError 'usage' where two are asked for. */
function actionOf(flags: Readonly<Partial<Record<(typeof actions)[number], true>>>): Action {
  const given = actions.filter((name) => flags[name] === true);
  if (given.length < 2) return given[0] ?? 'apply';
  const place = given.map((name) => `--${name}`).join(', ');
  throw faultsError('usage', [{ place, problem: 'only one of these can be done at once' }]);
}

async function perform(
  io: CommandIo,
  action: Action,
  {
    stack,
    isDryRun,
    isJson,
  }: { readonly stack: string; readonly isDryRun: boolean; readonly isJson: boolean },
): Promise<void> {
  const { checkPatches, patchStack, revertPatches, verifyPatches } =
    await import('../../workflows/patch/stack.ts');
  const text = await import('../text/patch.ts');
  const print = <T>(upstreams: readonly T[], render: (upstream: T) => string): void => {
    if (isJson) io.print(JSON.stringify({ stack, action, dryRun: isDryRun, upstreams }, null, 2));
    else io.print(upstreams.length === 0 ? text.nothingText(stack) : upstreams.map(render).join('\n\n'));
  };
  if (action === 'list' || action === 'check' || (action === 'apply' && isDryRun)) {
    const reports = await checkPatches(io.context, stack);
    print(reports, action === 'list' ? text.listText : text.checkText);
    if (action !== 'list' && reports.some(({ status }) => status === 'blocked')) {
      io.exitWith(exitCodes.environment);
    }
  } else if (action === 'verify') {
    const verified = await verifyPatches(io.context, stack);
    print(verified, (one) => text.verifyText(one, stack));
    if (verified.some(({ differences }) => differences.length > 0)) io.exitWith(exitCodes.environment);
  } else if (action === 'revert') {
    const reverted = await revertPatches(io.context, stack, isDryRun);
    print(reverted, (one) => text.revertText(one, { stack, isDryRun }));
  } else print(await patchStack(io.context, stack), text.patchedText);
}
