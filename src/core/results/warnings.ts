import { isOverlayMode, modes } from '../deepspeed/modes/registry.ts';
import { sharedSettings } from '../experiment/settings.ts';
import type { LogState } from '../logs/state.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import type { StepStatistics } from '../stats/steps.ts';
import { isBusyMachine } from './busy-machine.ts';
import type { Conditions, RunRecord, Throughput } from './record.ts';

interface WarningInputs {
  readonly plan: RunPlan;
  readonly log: LogState;
  readonly throughput: Throughput;
  readonly statistics: StepStatistics | null;
  readonly conditions: Omit<Conditions, 'cpuAdamThreads'>;
  /** Peak of a node, GiB. */
  readonly hostGiB: number | null;
  readonly abandoned: RunRecord['abandoned'];
}

/** How far a log's own TFLOPS may lie from ours before we say so: rounding of the log explains 1%. */
const tflopsTolerance = 0.02;
/** Median SM clock under load, as a share of the highest, below which a card counts as slowed. */
const slowClockShare = 0.97;

/** The closed list of what can make a measurement doubtful; each says what to do next. */
export function recordWarnings(inputs: WarningInputs): string[] {
  const { plan, log, throughput, conditions } = inputs;
  const { hardwareTflopsPerGpu, loggedTflopsPerGpu } = throughput;
  const warnings = [...otherThanPlanned(plan, log), ...beyondItsShare(inputs)];
  // Tiny CPU runs log 0.00 TFLOPS: two decimals cannot be compared.
  if (hardwareTflopsPerGpu !== null && loggedTflopsPerGpu !== null && loggedTflopsPerGpu >= 1) {
    if (Math.abs(loggedTflopsPerGpu / hardwareTflopsPerGpu - 1) > tflopsTolerance) {
      warnings.push(
        `the log claims ${loggedTflopsPerGpu.toFixed(1)} TFLOPS, the formula ${throughput.formula ?? ''} gives ` +
          `${hardwareTflopsPerGpu.toFixed(1)}: compare runs by the latter only`,
      );
    }
  }
  const busy = conditions.runningTasksBefore ?? 0;
  if (isBusyMachine(busy, plan.system.cores)) {
    warnings.push(
      `${busy} other tasks were running on ${plan.system.cores} cores at the start: ` +
        'repeat on an idle machine before comparing',
    );
  }
  warnings.push(...imprecise(inputs), ...throttling(conditions.gpu));
  if (log.skippedIterations > 0) {
    warnings.push(
      `${log.skippedIterations} steps were skipped (overflow): their times count no optimizer step`,
    );
  }
  return warnings;
}

/** What the training script found itself doing, against what the row is called by; facts that it does not print are left out. */
function otherThanPlanned({ case: subject }: RunPlan, { facts }: LogState): string[] {
  if (subject === null) return [];
  const { zeroStage, dataParallel, sequenceParallel } = sharedSettings(subject);
  const expected: Readonly<Record<string, string>> = {
    'zero stage': String(zeroStage),
    'data-parallel size': String(dataParallel),
    'sequence-parallel size': String(sequenceParallel),
    // The paper's branch runs SuperOffload under other names too; the plan has said so.
    ...(modes[subject.mode].superOffload ? { 'super offload': 'true' } : {}),
    // DeepSpeed without the overlay ignores the section that asks for it.
    ...(isOverlayMode(subject.mode) ? { 'offload optimizer': 'overlap' } : {}),
  };
  return Object.entries(expected)
    .filter(([name, value]) => facts[name] !== undefined && facts[name] !== value)
    .map(([name, value]) => {
      return `the log says ${name} ${facts[name] ?? ''}, and ${value} was planned: compare it with nothing`;
    });
}

/** Two such runs on one node would not both fit: its result is not that of a chip among others. */
function beyondItsShare({ plan: { placement }, hostGiB }: WarningInputs): string[] {
  const share = placement?.hostGiB ?? null;
  if (share === null || hostGiB === null || hostGiB <= share) return [];
  return [
    `it used ${hostGiB.toFixed(1)} GiB of host memory, and the share of its chips is ${share.toFixed(1)}: ` +
      'for the whole node, say --exclusive-host',
  ];
}

/** A run that ended before its interval was as narrow as asked; the table's interval shows by how much. */
function imprecise({ plan: { maxError }, statistics, abandoned }: WarningInputs): string[] {
  if (abandoned !== undefined) {
    const seconds = (abandoned.aboveMs / 1000).toPrecision(3);
    return [`stopped early, its steps stay above ${seconds} s: too few of them for a measurement`];
  }
  const interval = statistics?.interval ?? null;
  if (maxError === null || statistics === null || interval === null) return [];
  const { medianMs, samples } = statistics;
  const error = Math.max(interval.highMs - medianMs, medianMs - interval.lowMs) / medianMs;
  if (error <= maxError) return [];
  const percent = (share: number): string => `${Number((100 * share).toPrecision(2))}%`;
  return [
    `not stable after ${samples} steps: +-${percent(error)}, asked ${percent(maxError)}: use more --steps, or --repeat`,
  ];
}

/** A cap that leaves the clock at its highest has slowed nothing: it is in the record, not in a warning. */
function throttling(gpu: Conditions['gpu']): string[] {
  if (gpu === null || gpu.throttleReasons.length === 0) return [];
  const { smClockMhz, maxSmClockMhz } = gpu;
  if (smClockMhz !== null && maxSmClockMhz !== null && smClockMhz >= slowClockShare * maxSmClockMhz)
    return [];
  return [
    `the GPU was throttled (${gpu.throttleReasons.join(', ')}) to ${smClockMhz ?? '?'} of ${maxSmClockMhz ?? '?'} MHz: ` +
      'check power cap and cooling',
  ];
}
