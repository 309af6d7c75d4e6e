import type { Case, LauncherName, System } from '../experiment/case.ts';
import { caseIdOf } from '../experiment/case-id.ts';
import { launchers } from '../launch/launcher.ts';
import { runFiles } from '../results/run-files.ts';
import type { ScriptEnvironment } from '../stack/environment.ts';
import { workloads } from '../workloads/workload.ts';
import { defaultLimits, type RunLimits, type RunPlan, type StackReference } from './run-plan.ts';

export interface PlanInputs {
  readonly system: System;
  readonly stack: StackReference;
  /** The stack's Python. */
  readonly python: string;
  /** What the stack needs of any environment. */
  readonly stackEnvironment: ScriptEnvironment;
  /** Absolute folder of the built-in trainer. */
  readonly trainer: string;
  readonly deepspeedConfig: Readonly<Record<string, unknown>>;
  readonly port: number;
  readonly launcher: LauncherName | null;
  readonly bindCores: boolean;
  /** Indices of the GPUs to use, of those that the driver counts; null leaves the choice to CUDA. */
  readonly gpuIndices: readonly number[] | null;
  readonly maxError: number | null;
  readonly limits: Partial<RunLimits>;
}

/** Joins a case, a system and a stack into the one thing that is run. */
export function planCase(subject: Case, inputs: PlanInputs): RunPlan {
  const { system } = inputs;
  const program = workloads.builtin.program(subject, {
    trainer: inputs.trainer,
    deepspeedConfig: runFiles.deepspeedConfig,
    stopFile: runFiles.stop,
  });
  const launcher = launchers[inputs.launcher ?? defaultLauncher(system, subject.chips)];
  const launch = launcher.launch({
    python: inputs.python,
    program,
    worldSize: subject.chips,
    port: inputs.port,
    bindCores: inputs.bindCores,
    gpuIndices: inputs.gpuIndices,
  });
  const deepspeedConfig = `${JSON.stringify(inputs.deepspeedConfig, null, 2)}\n`;
  return {
    schemaVersion: 1,
    experiment: subject.experiment,
    caseId: caseIdOf(subject),
    title: titleOf(subject),
    workload: 'builtin',
    case: subject,
    system,
    functional: system.accelerator === 'cpu',
    stack: inputs.stack,
    worldSize: subject.chips,
    command: launch.command,
    env: { ...inputs.stackEnvironment.env, ...threadEnv(system, subject.chips), ...launch.env },
    unset: inputs.stackEnvironment.unset,
    port: inputs.port,
    cwd: null,
    files: { [runFiles.deepspeedConfig]: deepspeedConfig },
    steps: subject.steps,
    maxError: inputs.maxError,
    limits: { ...defaultLimits, ...inputs.limits },
    warnings: [],
  };
}

/** A single rank needs no launcher, unless the user asks for one. */
export function defaultLauncher(system: System, chips: number): LauncherName {
  return chips === 1 ? 'python' : system.launcher;
}

/**
 * Threads a rank: its share of the cores. Set for every launcher, because torchrun's own default of 1 makes CPU
 * Adam single-threaded (torch/distributed/run.py).
 */
function threadEnv(system: System, chips: number): Record<string, string> {
  return { OMP_NUM_THREADS: String(Math.max(1, Math.floor(system.cores / chips))) };
}

function titleOf(subject: Case): string {
  const parts = [
    subject.mode,
    subject.model.name,
    `${subject.chips} chip${subject.chips === 1 ? '' : 's'}`,
    `batch ${subject.globalBatch}` +
      (subject.gradientAccumulation > 1
        ? ` (micro ${subject.microBatch} x ${subject.gradientAccumulation})`
        : ''),
    `sequence ${subject.sequenceLength}`,
    subject.dtype,
    ...(subject.activationCheckpointing ? ['recompute'] : []),
  ];
  return parts.join(', ');
}
