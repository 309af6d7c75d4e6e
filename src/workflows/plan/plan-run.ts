import { join } from 'node:path';
import { stackPaths } from '../../adapters/stack/store.ts';
import { quoteWord } from '../../core/launch/quote.ts';
import type { Schedule } from '../../core/launch/schedule.ts';
import { planCase } from '../../core/plan/plan-case.ts';
import { syntheticRequest } from '../../core/plan/planned-data.ts';
import type { Placement, RunPlan, StackReference } from '../../core/plan/run-plan.ts';
import { stackReference } from '../../core/plan/stack-reference.ts';
import { scriptEnvironment } from '../../core/stack/environment.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { ConfiguredCase } from './case-configs.ts';
import type { Context } from '../context.ts';
import { syntheticPrefix } from '../dataset/use.ts';
import { assumedDeepspeed } from '../stacks/installed-deepspeed.ts';
import { chosenGpus, type Machine } from '../machine.ts';
import type { PlanRequest } from './request.ts';

/** Where a run takes place. */
interface RunPlace {
  readonly machine: Machine;
  /** null in a dry run without a stack. */
  readonly stack: StackLock | null;
  /** How its files differ from what was installed, where the user allowed that. */
  readonly drift: readonly string[];
  /** Megatron-DeepSpeed's folder, whether it is used or not. */
  readonly megatron: string;
  /** null: this machine. */
  readonly schedule: Schedule | null;
}

/** torch's own default. A run takes a free port at its start (core/plan/run-plan.ts, withPort). */
const plannedPort = 29500;

/** One configured case as a run. */
export function planRun(
  context: Context,
  request: PlanRequest,
  { machine, stack, drift, megatron, schedule }: RunPlace,
  { subject, config }: ConfiguredCase,
): RunPlan {
  const { system } = machine;
  return planCase(subject, {
    system,
    stack: stack === null ? notInstalled(request.stack) : stackReference(stack, drift),
    python: stack?.python.path ?? join(stackPaths(context.home, request.stack).venv, 'bin', 'python'),
    stackEnvironment: scriptEnvironment(
      stack ?? { pathPrefix: [], environment: {} },
      system.accelerator,
      context.env['PATH'],
    ),
    trainer: join(context.packageRoot, 'experiment', 'trainer'),
    megatron,
    syntheticData: syntheticPrefix(context.home, syntheticRequest(subject)),
    deepspeedConfig: config,
    port: plannedPort,
    schedule,
    launcher: request.launcher,
    bindCores: request.bindCores,
    exclusiveHost: request.scheduling.exclusiveHost ?? false,
    machine: schedule === null ? placeFacts(machine) : null,
    gpuIndices: schedule === null ? chosenGpus(machine, subject.chips, context.env) : null,
    maxError: request.maxError,
    ...(request.timeline === undefined ? {} : { timeline: request.timeline }),
    limits: request.limits,
  });
}

/** What decides where memory comes from: the rest of the machine is in the stack's lock, and in the record. */
function placeFacts({ facts: { numa, pageBytes, coherentGpuMemoryMode } }: Machine): Placement['machine'] {
  return { numa, pageBytes, coherentGpuMemoryMode };
}

function notInstalled(name: string): StackReference {
  return {
    name,
    hash: 'not installed',
    torch: 'unknown',
    deepspeed: assumedDeepspeed,
    upstreams: {},
    apex: null,
  };
}

/**
 * The Megatron-DeepSpeed of a stack.
 * @throws SuperOffloadError 'environment' where cases need one and the stack has none, or has it as it was published
 *   (it does not run so: `patch --revert`); a dry run only says so.
 */
export function megatronOf(
  context: Context,
  { stack: name, flags, dryRun }: Pick<PlanRequest, 'stack' | 'flags' | 'dryRun'>,
  stack: StackLock | null,
): { readonly directory: string; readonly notes: readonly string[] } {
  const megatron = stack?.upstreams.megatron;
  const directory = megatron?.directory ?? join(stackPaths(context.home, name).sources, 'megatron');
  const isNeeded = flags.workload === 'megatron' && stack !== null;
  if (!isNeeded || (megatron !== undefined && megatron.patches !== null)) return { directory, notes: [] };
  const stackFlag = `--stack ${quoteWord(name)}`;
  const [message, hint] =
    megatron === undefined
      ? [
          `stack ${JSON.stringify(name)} has no Megatron-DeepSpeed`,
          `run: superoffload install ${stackFlag} --with megatron`,
        ]
      : [
          `the patches of Megatron-DeepSpeed are not applied in stack ${JSON.stringify(name)}`,
          `run: superoffload patch ${stackFlag}`,
        ];
  if (dryRun) return { directory, notes: [`${message}: a run of this plan would be refused`] };
  throw new SuperOffloadError({ code: 'environment', message, hint });
}
