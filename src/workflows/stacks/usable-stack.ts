import { quickDrift } from '../../adapters/stack/manifest-drift.ts';
import { loadStack } from '../../adapters/stack/store.ts';
import { isCurrent } from '../../core/stack/current.ts';
import { describeDrifts } from '../../core/stack/drift.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { gpuTrouble, type Machine } from '../machine.ts';
import { requireStack } from './require-stack.ts';

export interface StackChoice {
  readonly name: string;
  /** Nothing will be started: a plan needs no stack, and one for another machine is only mentioned. */
  readonly dryRun: boolean;
  /** Run although the stack's files are not those that were installed (--allow-drift). */
  readonly allowDrift: boolean;
}

export interface UsableStack {
  readonly stack: StackLock | null;
  readonly notes: readonly string[];
  /** How its files differ from what was installed: one line a difference, for the record of the run. */
  readonly drift: readonly string[];
}

/**
 * The stack that a run uses: installed, unchanged since, and made for this CPU and for the accelerator of the system.
 * On another one DeepSpeed would compile its ops again inside the run, or quietly run where nobody planned to.
 * @throws SuperOffloadError as {@link requireStack}; 'environment' where it changed; 'install' for a damaged lock.
 */
export async function usableStack(
  context: Context,
  choice: StackChoice,
  machine: Machine,
): Promise<UsableStack> {
  const { name, dryRun } = choice;
  const stack = dryRun ? await loadStack(context.home, name) : await requireStack(context, name);
  if (stack === undefined) return { stack: null, notes: [], drift: [] };
  if (isCurrent(stack, machine.facts, machine.system.accelerator)) {
    return { stack, ...(await checkDrift(context, stack, choice)) };
  }
  const { message, hint } = mismatch(stack, machine);
  if (dryRun) return { stack, notes: [`${message}: a run of this plan would be refused`], drift: [] };
  throw new SuperOffloadError({ code: 'environment', message, hint });
}

/**
 * The quick check: files of the stack that are not those of its install, as far as `stat` tells.
 * @returns what differs, where that is allowed; a warning was emitted then.
 * @throws SuperOffloadError 'environment' where it is not.
 */
export async function checkDrift(
  { emit }: Pick<Context, 'emit'>,
  stack: StackLock,
  { dryRun, allowDrift }: Pick<StackChoice, 'dryRun' | 'allowDrift'>,
): Promise<Pick<UsableStack, 'notes' | 'drift'>> {
  const drifts = await quickDrift(stack);
  const again = `superoffload install --stack ${stack.name} --reinstall`;
  if (drifts === null) {
    const note = `stack ${stack.name} has no manifest, so that changes in it are not seen; to get one: ${again}`;
    return { notes: [note], drift: [] };
  }
  if (drifts.length === 0) return { notes: [], drift: [] };
  const drift = describeDrifts(drifts, Number.POSITIVE_INFINITY);
  const message = [`stack ${stack.name} is not as it was installed:`, ...describeDrifts(drifts)].join('\n  ');
  if (dryRun && !allowDrift) return { notes: [`${message}\na run of this plan would be refused`], drift };
  if (allowDrift) {
    emit({
      type: 'warning',
      message,
      hint: 'Allowed by --allow-drift, and written into the record of the run.',
    });
    return { notes: [], drift };
  }
  throw new SuperOffloadError({
    code: 'environment',
    message,
    hint:
      `to mend it: ${again}\nto run it as it is, with the changes in the record: add --allow-drift\n` +
      `to see whether only times changed: superoffload stacks verify ${stack.name}`,
  });
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
  if (wanted === 'cuda') {
    const where =
      facts.gpus.length > 0 ? 'run' : 'run, on a machine with those GPUs (a compute node, for example)';
    return { message, hint: `${where}: superoffload install --stack ${name} --reinstall` };
  }
  const hint =
    (facts.gpuProblem === null ? '' : 'mend the driver, see `superoffload doctor`; or, for the CPU,\n') +
    `run: DS_ACCELERATOR=cpu superoffload install --stack ${name}\n` +
    'It replaces that stack; to keep both, set SUPEROFFLOAD_HOME to another folder.';
  return { message, hint };
}
