import type { Case, LauncherName, System } from '../experiment/case.ts';
import { caseIdOf } from '../experiment/case-id.ts';
import { hostGiBFor } from '../experiment/system.ts';
import { nodeBinding, type NodeBinding } from '../launch/binding.ts';
import type { NodeLayout } from '../launch/layout.ts';
import { launchers, type LaunchCommand } from '../launch/launcher.ts';
import { opsScript } from '../launch/ops-script.ts';
import { placeholders } from '../launch/placeholders.ts';
import type { Schedule } from '../launch/schedule.ts';
import { runFiles } from '../results/run-files.ts';
import type { ScriptEnvironment } from '../stack/environment.ts';
import { lossChunkOf } from '../workloads/loss-chunk.ts';
import { workloads, type Workload } from '../workloads/workload.ts';
import { plannedData } from './planned-data.ts';
import {
  defaultLimits,
  type Placement,
  type RunLimits,
  type RunPlan,
  type StackReference,
} from './run-plan.ts';
import { traceEnv, tracedStepOf, type TimelineRequest } from './traced-step.ts';

export interface PlanInputs {
  readonly system: System;
  readonly stack: StackReference;
  /** The stack's Python. */
  readonly python: string;
  /** What the stack needs of any environment. */
  readonly stackEnvironment: ScriptEnvironment;
  /** Absolute folder of the built-in trainer. */
  readonly trainer: string;
  /** Absolute folder of Megatron-DeepSpeed, patched. */
  readonly megatron: string;
  /** Absolute prefix of the data that stands in where a case of Megatron names none. */
  readonly syntheticData: string;
  readonly deepspeedConfig: Readonly<Record<string, unknown>>;
  readonly port: number;
  /** Where it gets its machines; null is this machine. */
  readonly schedule: Schedule | null;
  readonly launcher: LauncherName | null;
  readonly bindCores: boolean;
  /** The run has its nodes for itself, all of their cores and memory; false where absent. */
  readonly exclusiveHost?: boolean;
  /** This machine, where the run takes place here. */
  readonly machine?: Placement['machine'];
  /** Indices of the GPUs to use, of those that the driver counts; null leaves the choice to CUDA. */
  readonly gpuIndices: readonly number[] | null;
  readonly maxError: number | null;
  /** A step whose timeline is written (built-in trainer); absent: none. */
  readonly timeline?: TimelineRequest;
  readonly limits: Partial<RunLimits>;
}

/** Joins a case, a system and a stack into the one thing that is run. */
export function planCase(subject: Case, inputs: PlanInputs): RunPlan {
  const { system } = inputs;
  const nodes = nodePart(subject, inputs);
  const workload: Workload = workloads[subject.workload];
  const { trainer, megatron, syntheticData } = inputs;
  const { deepspeedConfig: deepspeedFile, stop: stopFile } = runFiles;
  const paths = { trainer, megatron, syntheticData, deepspeedConfig: deepspeedFile, stopFile };
  const data = plannedData(subject, inputs.syntheticData);
  const launch = launchCommand(inputs, nodes, workload.program(subject, paths));
  return {
    schemaVersion: 1,
    experiment: subject.experiment,
    caseId: caseIdOf(subject),
    title: titleOf(subject),
    workload: subject.workload,
    case: subject,
    system,
    functional: system.accelerator === 'cpu',
    stack: inputs.stack,
    worldSize: subject.chips,
    ...(inputs.schedule === null ? {} : { schedule: inputs.schedule }),
    placement: placementOf(inputs, nodes),
    command: launch.command,
    env: {
      ...{ ...baseEnv(inputs), ...threadEnv(nodes), ...workload.env(paths), ...launch.env },
      ...(inputs.timeline === undefined ? {} : traceEnv(tracedStepOf(inputs.timeline, subject))),
    },
    unset: inputs.stackEnvironment.unset,
    port: inputs.port,
    cwd: null,
    ...(data === null ? {} : { data }),
    files: filesOf(inputs),
    steps: subject.steps,
    maxError: inputs.maxError,
    limits: { ...defaultLimits, ...inputs.limits },
    warnings: [],
  };
}

function filesOf({ deepspeedConfig, schedule, python, system }: PlanInputs): RunPlan['files'] {
  const config = { [runFiles.deepspeedConfig]: `${JSON.stringify(deepspeedConfig, null, 2)}\n` };
  return schedule === null
    ? config
    : { ...config, [runFiles.opsScript]: opsScript(python, system.accelerator) };
}

function launchCommand(inputs: PlanInputs, nodes: NodePart, program: readonly string[]): LaunchCommand {
  const here = inputs.schedule === null;
  return launchers[nodes.launcher].launch({
    python: inputs.python,
    program,
    layout: nodes.layout,
    masterAddress: here ? '127.0.0.1' : placeholders.masterAddress,
    masterPort: here ? String(inputs.port) : placeholders.masterPort,
    binding: nodes.binding,
    gpuIndices: inputs.gpuIndices,
  });
}

/** What each node of a run does. */
interface NodePart {
  readonly launcher: LauncherName;
  readonly layout: NodeLayout;
  readonly binding: NodeBinding;
}

function nodePart({ chips }: Case, inputs: PlanInputs): NodePart {
  const { system, schedule, bindCores } = inputs;
  const layout = schedule?.layout ?? { nodes: 1, ranksPerNode: chips };
  const launcher = inputs.launcher ?? defaultLauncher(system, chips);
  const { ranksPerNode } = layout;
  const exclusiveHost = inputs.exclusiveHost ?? false;
  return {
    launcher,
    layout,
    binding: nodeBinding(system, { launcher, ranksPerNode, exclusiveHost, bindCores }),
  };
}

function placementOf(inputs: PlanInputs, { layout, binding }: NodePart): Placement {
  const { system, exclusiveHost = false } = inputs;
  const isWhole = exclusiveHost || system.accelerator === 'cpu';
  return {
    binding: binding.binding,
    hostNumaNodes: binding.hostNumaNodes,
    exclusiveHost,
    hostGiB: hostGiBFor(system, layout.ranksPerNode, isWhole),
    machine: inputs.machine ?? null,
  };
}

/** A single rank needs no launcher, unless the user asks for one. */
export function defaultLauncher(system: System, chips: number): LauncherName {
  return chips === 1 ? 'python' : system.launcher;
}

/** What the site's network and the stack need; of one name the stack's own stands. */
function baseEnv({ system, stackEnvironment }: PlanInputs): Readonly<Record<string, string>> {
  return { ...system.site.env, ...stackEnvironment.env };
}

/**
 * Threads a rank: its share of the cores that the run is bound to, or of the node's. Set for every launcher, because
 * torchrun's own default of 1 makes CPU Adam single-threaded (torch/distributed/run.py).
 */
function threadEnv({ layout, binding }: NodePart): Record<string, string> {
  const cores = binding.binding === 'none' ? binding.nodeCores : binding.cores;
  return { OMP_NUM_THREADS: String(Math.max(1, Math.floor(cores / layout.ranksPerNode))) };
}

function titleOf(subject: Case): string {
  const lossChunk = lossChunkOf(subject);
  const parts = [
    ...(subject.workload === 'builtin' ? [] : [subject.workload]),
    subject.mode,
    subject.model.name,
    `${subject.chips} chip${subject.chips === 1 ? '' : 's'}`,
    `batch ${subject.globalBatch}` +
      (subject.gradientAccumulation > 1
        ? ` (micro ${subject.microBatch} x ${subject.gradientAccumulation})`
        : ''),
    `sequence ${subject.sequenceLength}` +
      (subject.sequenceParallel > 1 ? ` shared by ${subject.sequenceParallel}` : ''),
    subject.dtype,
    ...(subject.fp16LmCrossEntropy ? ['16-bit loss'] : []),
    ...(lossChunk === null ? [] : [`loss of ${lossChunk} tokens at once`]),
    ...(subject.activationCheckpointing ? ['recompute'] : []),
    ...(subject.activationOffload ? ['activations on the host'] : []),
    ...(subject.attention === 'sdpa' ? [] : [`${subject.attention} attention`]),
  ];
  return parts.join(', ');
}
