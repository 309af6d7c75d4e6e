import { join } from 'node:path';
import { findToolkits, pipVersionOf, presentApex, readApexTree } from '../../adapters/stack/apex.ts';
import type { StepResult } from '../../adapters/stack/run-step.ts';
import type { MachineFacts } from '../../core/machine/facts.ts';
import { judgeApex, parseApexCheck } from '../../core/stack/apex/check.ts';
import { chooseApex } from '../../core/stack/apex/apex.ts';
import type { ApexDecision } from '../../core/stack/apex/apex.ts';
import type { ApexBuildFacts } from '../../core/stack/apex/facts.ts';
import type { Installer } from '../../core/install/facts.ts';
import { stackPython } from '../../core/install/plan.ts';
import type { ApexFacts, ApexFlag, StackOrigin } from '../../core/stack/lock.ts';
import type { PythonFacts } from '../../core/stack/python.ts';
import type { InstallStep } from '../../core/install/steps.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';

export interface ApexInputs {
  readonly flag: ApexFlag;
  readonly origin: StackOrigin;
  readonly folders: { readonly venv: string; readonly sources: string };
  readonly python: PythonFacts;
  readonly installer: Installer;
  readonly accelerator: 'cuda' | 'cpu';
}

/** Everything about Apex but the tree itself and the torch that it is built against. */
export type ApexBasis = Omit<ApexBuildFacts, 'source' | 'torch'>;

export interface Foreseen {
  readonly flag: ApexFlag;
  readonly basis: ApexBasis;
  /** `overlay` is settled; a build is settled when torch and Apex's tree are there. */
  readonly decision: Exclude<ApexDecision, { kind: 'refusal' }>;
}

/**
 * Decides about Apex as far as that is possible before anything is fetched.
 * @throws SuperOffloadError 'environment' where --apex build cannot be had on this machine.
 */
export async function foreseeApex(
  ctx: Pick<Context, 'env' | 'signal' | 'packageRoot'>,
  machine: MachineFacts,
  inputs: ApexInputs,
): Promise<Foreseen> {
  const { flag, origin, python, accelerator } = inputs;
  const basis = await basisOf(ctx, machine, inputs);
  // The torch of a private stack is not there yet: it is taken for a fitting one, and asked when it is.
  const cuda =
    origin === 'private' ? (basis.toolkits[0]?.version ?? 'unknown') : (python.torch?.cuda ?? null);
  const torch = { version: python.torch?.version ?? '0', cuda: accelerator === 'cpu' ? 'unknown' : cuda };
  return { flag, basis, decision: settled(chooseApex(flag, { ...basis, torch, source: null })) };
}

async function basisOf(
  { env, signal, packageRoot }: Pick<Context, 'env' | 'signal' | 'packageRoot'>,
  machine: MachineFacts,
  { flag, origin, folders, python, installer, accelerator }: ApexInputs,
): Promise<ApexBasis> {
  const checkProgram = join(packageRoot, 'experiment/stacks/check_apex.py');
  const mayHaveOne = origin !== 'private' && flag !== 'overlay';
  const [toolkits, present, pipVersion] = await Promise.all([
    findToolkits(env, python.torch?.cuda ?? null, signal),
    mayHaveOne ? presentApex(python.path, checkProgram, env, signal) : null,
    pipVersionOf(installer, python.path, env, signal),
  ]);
  return {
    ...{ origin, installer, accelerator, toolkits, present, pipVersion, checkProgram },
    python: stackPython(origin, folders, python),
    directory: join(folders.sources, 'apex'),
    capabilities: [...new Set(machine.gpus.flatMap((gpu) => gpu.computeCapability ?? []))].sort(),
    memoryBytes: Math.min(machine.memory.limitBytes, machine.memory.availableBytes),
    cores: machine.cpu.cores,
    maxJobs: env['MAX_JOBS'],
  };
}

/**
 * Builds Apex and proves it, or says why the overlay stands for it.
 * @param torch of the stack, as it is now.
 * @throws SuperOffloadError 'environment' where --apex build cannot be had, 'install' where the build is not whole.
 */
export async function settleApex(
  ctx: Pick<Context, 'emit'>,
  { flag, basis }: Foreseen,
  torch: ApexBuildFacts['torch'],
  run: (step: InstallStep) => Promise<StepResult>,
): Promise<ApexFacts> {
  const facts = { ...basis, torch, source: await readApexTree(basis.directory) };
  const decision = settled(chooseApex(flag, facts));
  if (decision.kind === 'overlay') {
    ctx.emit({ type: 'note', message: overlayNote(decision.reason) });
    return { kind: 'overlay', extensions: [] };
  }
  for (const step of decision.steps) {
    const { stdout } = await run(step);
    if (step.id === 'apex-verify') requireExtensions(stdout, decision.extensions);
  }
  return { kind: 'build', extensions: decision.extensions };
}

export function overlayNote(reason: string): string {
  return `Apex is not built (${reason}): the names that Megatron imports from it are there on plain torch`;
}

function requireExtensions(stdout: string, promised: readonly string[]): void {
  const check = parseApexCheck(stdout);
  if (check === undefined) throw new Error('the check of Apex printed no result');
  const refusal = judgeApex(check, promised);
  if (refusal !== undefined) throw new SuperOffloadError({ code: 'install', ...refusal });
}

function settled(decision: ApexDecision): Exclude<ApexDecision, { kind: 'refusal' }> {
  if (decision.kind !== 'refusal') return decision;
  const { message, hint } = decision;
  throw new SuperOffloadError({ code: 'environment', message, hint });
}
