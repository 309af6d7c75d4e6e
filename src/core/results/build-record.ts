import { canonicalJson, shortHash } from '../experiment/case-id.ts';
import type { ExitEvidence } from '../logs/events.ts';
import type { LogState } from '../logs/state.ts';
import { classify } from '../logs/outcome.ts';
import { caseTflops, mfu } from '../model/shape.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import { tracedStep, untraced } from '../plan/traced-step.ts';
import { summarizeSteps, type StepStatistics } from '../stats/steps.ts';
import { launchEnvironment } from './launch-environment.ts';
import { leftBehindWarnings } from './left-behind.ts';
import type { RunEvent } from './run-event.ts';
import type { Conditions, MemoryUse, RunRecord, Throughput, ToolIdentity } from './record.ts';
import { requeuedWarnings } from './requeued.ts';
import { runFiles } from './run-files.ts';
import { recordWarnings } from './warnings.ts';

export interface RecordInputs {
  readonly plan: RunPlan;
  readonly runId: string;
  readonly tool: ToolIdentity | null;
  readonly log: LogState;
  readonly exit: ExitEvidence;
  readonly conditions: Omit<Conditions, 'cpuAdamThreads'>;
  readonly memory: { readonly sampledHostGiB: number | null; readonly machineGiB: number | null };
  readonly startedMs: number;
  /** null where nobody saw the end. */
  readonly endedMs: number | null;
  readonly recovered: boolean;
  /** Of whoever started it, as it is kept with the run; absent where nobody knows. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** The journal of the run, as far as it goes. */
  readonly events?: readonly RunEvent[];
}

/** Everything that is known about one attempt, put together; the same for a live run and a recovered one. */
export function buildRecord(inputs: RecordInputs): RunRecord {
  const { plan, log } = inputs;
  const memory = memoryUse(inputs);
  const outcome = classify(log, { ...inputs.exit, peakHostGiB: inputs.exit.peakHostGiB ?? memory.hostGiB });
  const steps = stepsOf(plan, log);
  const statistics = summarizeSteps(steps.stepMs);
  const throughput = throughputOf(plan, log, statistics);
  const abandoned = abandonedOf(inputs);
  return {
    schemaVersion: 1,
    runId: inputs.runId,
    tool: inputs.tool,
    ...planned(plan),
    ...(inputs.environment === undefined ? {} : { environment: launchEnvironment(plan, inputs.environment) }),
    startedUtc: new Date(inputs.startedMs).toISOString(),
    endedUtc: inputs.endedMs === null ? null : new Date(inputs.endedMs).toISOString(),
    durationMs: inputs.endedMs === null ? null : inputs.endedMs - inputs.startedMs,
    outcome,
    exit: inputs.exit,
    lastIteration: log.lastIteration,
    statistics,
    ...steps,
    throughput,
    memory,
    firstLoss: log.firstLoss,
    lastLoss: log.lastLoss,
    skippedIterations: log.skippedIterations,
    clipRate: clipRateOf(plan.case, log),
    ...(abandoned === undefined ? {} : { abandoned }),
    facts: log.facts,
    conditions: { ...inputs.conditions, cpuAdamThreads: numberFact(log.facts, 'adam threads') },
    warnings: [
      ...plan.warnings,
      ...leftBehindWarnings(inputs.events ?? []),
      ...requeuedWarnings(inputs.events ?? []),
      ...recordWarnings({ ...inputs, throughput, statistics, hostGiB: memory.hostGiB, abandoned }),
    ],
    recovered: inputs.recovered,
  };
}

/** What was watched took longer than it does, and stands apart. */
function stepsOf(plan: RunPlan, log: LogState): Pick<RunRecord, 'stepMs' | 'traced'> {
  const iteration = tracedStep(plan);
  const all = log.stepMs.values();
  const stepMs = [...untraced(all, iteration)];
  return iteration === null
    ? { stepMs }
    : { stepMs, traced: { iteration, stepMs: all[iteration - 1] ?? null } };
}

/** A run that had done all its steps when it was asked to end is a whole one. */
function abandonedOf({ plan, log, exit }: RecordInputs): RunRecord['abandoned'] {
  const { abandonAboveMs, steps } = plan;
  const isWhole = exit.stoppedBy !== 'abandoned' || log.lastIteration === steps;
  return isWhole || abandonAboveMs === undefined ? undefined : { aboveMs: abandonAboveMs };
}

/** What a record says of its plan, as it was planned. */
function planned(plan: RunPlan) {
  return {
    experiment: plan.experiment,
    caseId: plan.caseId,
    title: plan.title,
    workload: plan.workload,
    case: plan.case,
    system: plan.system,
    functional: plan.functional,
    stack: plan.stack,
    worldSize: plan.worldSize,
    ...(plan.placement === undefined ? {} : { placement: plan.placement }),
    deepspeedHash: deepspeedHashOf(plan),
  } as const;
}

/** By what the JSON says: neither the order of its keys nor its spaces are a setting. */
function deepspeedHashOf({ files }: RunPlan): string | null {
  const text = files[runFiles.deepspeedConfig];
  if (text === undefined) return null;
  try {
    return shortHash(canonicalJson(JSON.parse(text)));
  } catch {
    // Of a run that is recovered from a damaged folder there is a record all the same.
    return shortHash(text);
  }
}

function memoryUse({ plan, log, memory }: RecordInputs): MemoryUse {
  const reported = log.memory;
  // Megatron prints the memory of whatever accelerator it has, the CPU's too.
  const onGpu = plan.system.accelerator === 'cuda';
  return {
    gpuAllocatedGiB: onGpu ? (reported?.gpuAllocatedGiB ?? null) : null,
    gpuReservedGiB: onGpu ? (reported?.gpuReservedGiB ?? null) : null,
    hostGiB: reported?.hostGiB ?? memory.sampledHostGiB,
    hostSource:
      typeof reported?.hostGiB === 'number'
        ? reported.hostSource
        : memory.sampledHostGiB === null
          ? null
          : 'pss-sampled',
    machineGiB: memory.machineGiB,
  };
}

function throughputOf(plan: RunPlan, log: LogState, statistics: StepStatistics | null): Throughput {
  const stepMs = statistics?.medianMs ?? null;
  const loggedTflopsPerGpu = loggedTflops(log, stepMs);
  const subject = plan.case;
  if (stepMs === null || subject === null) {
    const tokens =
      log.globalBatch === null || log.sequenceLength === null ? null : log.globalBatch * log.sequenceLength;
    return {
      modelTflopsPerGpu: null,
      hardwareTflopsPerGpu: null,
      formula: null,
      mfu: null,
      tokensPerSecond: stepMs === null || tokens === null ? null : tokens / (stepMs / 1000),
      loggedTflopsPerGpu,
    };
  }
  const tflops = caseTflops(subject, stepMs);
  return {
    modelTflopsPerGpu: tflops.modelTflops,
    hardwareTflopsPerGpu: tflops.hardwareTflops,
    formula: tflops.formula,
    mfu: mfu(tflops.modelTflops, plan.system.peakTflops),
    tokensPerSecond: (subject.globalBatch * subject.sequenceLength) / (stepMs / 1000),
    loggedTflopsPerGpu,
  };
}

/** Norms are logged as they were before clipping (DeepSpeed's get_global_grad_norm, Megatron's grad norm). */
export function clipRateOf(subject: RunPlan['case'], { gradNorms }: LogState): number | null {
  const norms = gradNorms.values();
  if (subject === null) return null;
  if (subject.gradientClipping === 0) return 0;
  return norms.length === 0
    ? null
    : norms.filter((norm) => norm > subject.gradientClipping).length / norms.length;
}

/** The log's own figure at the median step: FLOPs it counts for a step, over the median time. */
function loggedTflops({ loggedTflop }: LogState, stepMs: number | null): number | null {
  return stepMs === null || loggedTflop.count === 0
    ? null
    : loggedTflop.sum / loggedTflop.count / (stepMs / 1000);
}

function numberFact(facts: Readonly<Record<string, string>>, name: string): number | null {
  const value = Number(facts[name]);
  return facts[name] === undefined || Number.isNaN(value) ? null : value;
}
