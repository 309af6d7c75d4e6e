import { dataFolders, pickSystem, scanSystems } from '../adapters/experiment-data.ts';
import { probeMachine } from '../adapters/probe/machine.ts';
import type { System } from '../core/experiment/case.ts';
import { resolveSystem, type ProbedMachine } from '../core/experiment/system.ts';
import { acceleratorOf, type MachineFacts } from '../core/machine/facts.ts';
import { hostNumaNodes } from '../core/machine/numa.ts';
import { faultsError, SuperOffloadError } from '../errors.ts';
import type { Context } from './context.ts';

const bytesPerGiB = 2 ** 30;

/** The machine at hand, and the system that a run plans for. */
export interface Machine {
  readonly facts: MachineFacts;
  readonly system: System;
}

/**
 * Probes this machine and completes the named system with what it found.
 * @throws SuperOffloadError 'usage' for an unknown system.
 */
export async function resolveMachine(context: Context, systemName: string): Promise<Machine> {
  const scanned = scanSystems(dataFolders(context));
  const named = pickSystem(systemName, scanned);
  const facts = await probeMachine(context.env);
  const system = resolveSystem(named, probedMachine(facts, context.env), scanned.systems);
  return { facts, system };
}

/** What a system file leaves open, as this machine answers it. */
export function probedMachine(facts: MachineFacts, env: Context['env']): ProbedMachine {
  const { gpus, memory, cpu } = facts;
  return {
    accelerator: acceleratorOf(facts, env),
    gpuName: gpus[0]?.name ?? null,
    gpuCount: gpus.length,
    gpuGiB: gpus.length === 0 ? null : Math.min(...gpus.map((gpu) => gpu.memoryMiB)) / 1024,
    hostGiB: memory.limitBytes / bytesPerGiB,
    cores: cpu.cores,
    hostNumaNodes: hostNumaNodes(facts),
  };
}

/** What a message about missing GPUs ends with: they may be there, behind a driver that fails. */
export function gpuTrouble({ gpuProblem }: MachineFacts): string {
  return gpuProblem === null ? '' : ` (nvidia-smi fails: ${gpuProblem.split('\n')[0] ?? ''})`;
}

/** Ranks that share a core mostly wait for each other; beyond this a plan is a slip of the keyboard. */
const ranksPerCore = 8;
const alwaysAllowedRanks = 16;

/** @throws SuperOffloadError 'usage' for more CPU ranks than this machine's cores can carry. */
export function requireRanks({ system }: Machine, chips: number): void {
  const most = Math.max(alwaysAllowedRanks, ranksPerCore * system.cores);
  if (system.accelerator !== 'cpu' || chips <= most) return;
  const problem = `that many CPU ranks do not run on ${system.cores} core${system.cores === 1 ? '' : 's'}`;
  const expected = `${most} at most: ${ranksPerCore} a core, and ${alwaysAllowedRanks} anywhere`;
  throw faultsError('usage', [{ place: `--chips ${chips}`, problem, expected }]);
}

/**
 * The GPUs that CUDA_VISIBLE_DEVICES chooses, for a launcher that does not follow it, by the driver's index.
 * @returns null where nothing is chosen, or not by whole GPUs of this machine.
 */
export function chosenGpus(
  { facts, system }: Machine,
  chips: number,
  env: Context['env'],
): readonly number[] | null {
  const visible = env['CUDA_VISIBLE_DEVICES'];
  if (system.accelerator !== 'cuda' || visible === undefined || hasPartOfGpu(env)) return null;
  return chips > facts.gpus.length ? null : facts.gpus.slice(0, chips).map(({ index }) => index);
}

/** CUDA_VISIBLE_DEVICES names an instance of a GPU that is divided. */
export function hasPartOfGpu(env: Context['env']): boolean {
  return (env['CUDA_VISIBLE_DEVICES'] ?? '').includes('MIG-');
}

/**
 * Refuses to run what this machine is not: a system of GPUs without them, or more chips than there are.
 * @throws SuperOffloadError 'environment'.
 */
export function requireChips({ facts, system }: Machine, chips: number, env: Context['env']): void {
  const here = acceleratorOf(facts, env);
  if (system.accelerator === 'cuda' && here !== 'cuda') {
    throw new SuperOffloadError({
      code: 'environment',
      message: `system ${system.name} has GPUs and this machine has none that can be used${gpuTrouble(facts)}`,
      hint: 'see `superoffload doctor`; to see the plan for another machine, add --dry-run',
    });
  }
  if (system.accelerator === 'cuda' && chips > facts.gpus.length) {
    throw new SuperOffloadError({
      code: 'environment',
      message: `--chips ${chips}: this machine has ${facts.gpus.length} GPU${facts.gpus.length === 1 ? '' : 's'}`,
      hint: `use --chips ${facts.gpus.length} or fewer here, or DS_ACCELERATOR=cpu for a functional run on CPU ranks`,
    });
  }
}
