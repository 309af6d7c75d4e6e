import { loadStack, stackNamesIn } from '../../adapters/stack/store.ts';
import { nearest } from '../../core/experiment/nearest.ts';
import { stackNames, type StackLock } from '../../core/stack/lock.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';

/**
 * Is there a folder of a stack, ready or not?
 * @throws SuperOffloadError 'environment' for a stack that is not installed, 'usage' for a name that no stack can have.
 */
export async function requireStackFolder({ home }: Pick<Context, 'home'>, name: string): Promise<void> {
  const names = await stackNamesIn(home);
  if (names.includes(name)) return;
  if (stackNames.some((known) => known === name)) {
    throw new SuperOffloadError({
      code: 'environment',
      message: `stack ${JSON.stringify(name)} is not installed in ${home}`,
      hint: `run: superoffload install --stack ${name}\nor set SUPEROFFLOAD_HOME to a state folder that has it`,
    });
  }
  const meant = nearest(name, [...new Set([...names, ...stackNames])]);
  throw new SuperOffloadError({
    code: 'usage',
    message:
      `there is no stack ${JSON.stringify(name)} in ${home}` +
      (meant === undefined ? '' : `; did you mean ${meant}?`),
    hint: names.length === 0 ? 'run: superoffload install' : `there is: ${names.join(', ')}`,
  });
}

/** @throws SuperOffloadError as {@link requireStackFolder}; 'environment' for a stack that is not ready. */
export async function requireStack(ctx: Pick<Context, 'home'>, name: string): Promise<StackLock> {
  await requireStackFolder(ctx, name);
  const lock = await loadStack(ctx.home, name);
  if (lock !== undefined) return lock;
  throw new SuperOffloadError({
    code: 'environment',
    message: `stack ${JSON.stringify(name)} is not ready`,
    hint: `run: superoffload install --stack ${name}`,
  });
}
