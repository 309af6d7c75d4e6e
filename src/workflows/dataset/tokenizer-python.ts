import { listStacks, loadStack } from '../../adapters/stack/store.ts';
import { stackEnvironment } from '../../core/stack/environment.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';

export interface TokenizerPython {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A stack's Python that has Hugging Face's tokenizers, which come with Megatron's packages.
 * @throws SuperOffloadError 'environment' where there is none.
 */
export async function tokenizerPython(
  ctx: Pick<Context, 'home' | 'env'>,
  name: string | undefined,
): Promise<TokenizerPython> {
  const stacks = name === undefined ? await listStacks(ctx.home) : [await loadStack(ctx.home, name)];
  const stack = stacks.find((lock): lock is StackLock => lock?.packages['tokenizers'] !== undefined);
  if (stack !== undefined) return { path: stack.python.path, env: stackEnvironment(stack, ctx.env) };
  const missing = name === undefined ? `no stack in ${ctx.home} has` : `stack ${JSON.stringify(name)} lacks`;
  throw new SuperOffloadError({
    code: 'environment',
    message: `${missing} the package tokenizers, which learns and applies a vocabulary`,
    hint: `run: superoffload install${name === undefined ? '' : ` --stack ${name}`} --with megatron`,
  });
}
