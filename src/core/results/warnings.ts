import type { LogState } from '../logs/state.ts';
import type { RunPlan } from '../plan/run-plan.ts';
import type { Conditions, Throughput } from './record.ts';

interface WarningInputs {
  readonly plan: RunPlan;
  readonly log: LogState;
  readonly throughput: Throughput;
  readonly conditions: Omit<Conditions, 'cpuAdamThreads'>;
}

/** How far a log's own TFLOPS may lie from ours before we say so: rounding of the log explains 1%. */
const tflopsTolerance = 0.02;
/** Running tasks of others, as a share of the cores, above which a measurement is in doubt. */
const foreignLoadShare = 0.25;

/** The closed list of what can make a measurement doubtful; each says what to do next. */
export function recordWarnings({ plan, log, throughput, conditions }: WarningInputs): string[] {
  const { hardwareTflopsPerGpu, loggedTflopsPerGpu } = throughput;
  const warnings: string[] = [];
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
  if (busy > foreignLoadShare * plan.system.cores) {
    warnings.push(
      `${busy} other tasks were running on ${plan.system.cores} cores at the start: ` +
        'repeat on an idle machine before comparing',
    );
  }
  if ((conditions.gpu?.throttleReasons.length ?? 0) > 0) {
    warnings.push(
      `the GPU was throttled (${conditions.gpu?.throttleReasons.join(', ') ?? ''}): check power cap and cooling`,
    );
  }
  if (log.skippedIterations > 0) {
    warnings.push(
      `${log.skippedIterations} steps were skipped (overflow): their times count no optimizer step`,
    );
  }
  return warnings;
}
