import { loadStack } from '../adapters/stack/store.ts';
import { isCurrent } from '../core/stack/current.ts';
import type { StackLock } from '../core/stack/lock.ts';
import { SuperOffloadError } from '../errors.ts';
import type { Context } from './context.ts';
import { gpuTrouble, type Machine } from './machine.ts';

export interface StackChoice {
  readonly name: string;
  /** Nothing will be started: a plan needs no stack, and one for another machine is only mentioned. */
  readonly dryRun: boolean;
}

/**
 * The stack that a run uses: installed, and made for this CPU and for the accelerator of the system. On another one
 * DeepSpeed would compile its ops again inside the run, or quietly run where nobody planned to.
 * @throws SuperOffloadError 'environment' where there is no such stack; 'install' for a damaged lock.
 */
export async function usableStack(
  context: Context,
  { name, dryRun }: StackChoice,
  machine: Machine,
): Promise<{ readonly stack: StackLock | null; readonly notes: readonly string[] }> {
  const stack = await loadStack(context.home, name);
  if (stack === undefined) {
    if (dryRun) return { stack: null, notes: [] };
    throw new SuperOffloadError({
      code: 'environment',
      message: `stack ${JSON.stringify(name)} is not installed in ${context.home}`,
      hint: `run: superoffload install --stack ${name}\nor set SUPEROFFLOAD_HOME to a state folder that has it`,
    });
  }
  if (isCurrent(stack, machine.facts, machine.system.accelerator)) return { stack, notes: [] };
  const { message, hint } = mismatch(stack, machine);
  if (dryRun) return { stack, notes: [`${message}: a run of this plan would be refused`] };
  throw new SuperOffloadError({ code: 'environment', message, hint });
}

const places = { cuda: 'GPUs', cpu: 'the CPU' } as const;

function mismatch(
  { name, accelerator }: StackLock,
  { facts, system }: Machine,
): { readonly message: string; readonly hint: string } {
  const wanted = system.accelerator;
  if (accelerator === wanted) {
    const message = `stack ${JSON.stringify(name)} is compiled for another CPU than this machine's`;
    return { message, hint: `run: superoffload install --stack ${name}` };
  }
  const message =
    `stack ${JSON.stringify(name)} is made for ${places[accelerator]}, and this is a run on ` +
    `${places[wanted]}${gpuTrouble(facts)}`;
  if (wanted === 'cuda') return { message, hint: `run: superoffload install --stack ${name} --reinstall` };
  const hint =
    (facts.gpuProblem === null ? '' : 'mend the driver, see `superoffload doctor`; or, for the CPU,\n') +
    `run: DS_ACCELERATOR=cpu superoffload install --stack ${name}\n` +
    'It replaces that stack; to keep both, set SUPEROFFLOAD_HOME to another folder.';
  return { message, hint };
}
