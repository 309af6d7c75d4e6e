import type { Fault } from '../../errors.ts';
import type { Case, Dtype } from '../experiment/case.ts';
import { sharedSettings } from '../experiment/settings.ts';
import { workloadFaults } from '../experiment/workload-faults.ts';
import { versionOrder } from '../stack/version.ts';
import { clippingFault } from './agreement.ts';
import type { JsonObject } from './modes/mode.ts';
import { modes } from './modes/registry.ts';
import { applyOverrides } from './overrides.ts';
import { objectAt, type SuperOffloadSwitch } from './super-offload.ts';

/** The DeepSpeed of the stack that will run it: keys that come and go between versions follow it. */
export interface BuildOptions {
  readonly deepspeedVersion: string;
  readonly superOffload: SuperOffloadSwitch;
}

/**
 * Builds the whole DeepSpeed JSON of a case. There is no `optimizer` section: the training script hands DeepSpeed its
 * own optimizer (DeepSpeedCPUAdam where the mode offloads it); DeepSpeed 0.18 to 0.19 takes it without
 * `zero_force_ds_cpu_optimizer` or `zero_allow_untested_optimizer` (runtime/engine.py, _configure_optimizer;
 * runtime/zero/utils.py, ZERO_SUPPORTED_OPTIMIZERS).
 * Check the case with {@link caseFaults}, the result with `agreementFaults` and the adapters' `validateDeepSpeedConfig`.
 */
export function buildConfig(testCase: Case, options: BuildOptions): JsonObject {
  const settings = sharedSettings(testCase);
  const config = {
    train_batch_size: settings.globalBatch,
    train_micro_batch_size_per_gpu: settings.microBatch,
    gradient_accumulation_steps: settings.gradientAccumulation,
    ...precision(settings.dtype, options),
    // Never left to DeepSpeed: its default was 0 until 0.19.3 and is 1.0 since.
    gradient_clipping: settings.gradientClipping,
    steps_per_print: 1,
    // On, it would synchronize the device several times a step and change what is measured.
    wall_clock_breakdown: false,
    zero_optimization: zeroOptimization(testCase, options.superOffload),
    ...modes[testCase.mode].ownSections,
  };
  return applyOverrides(config, testCase.deepspeedOverrides);
}

/** DeepSpeed from PyPI runs nothing of SuperOffload without `super_offload`; the paper's branch has no such key. */
function zeroOptimization(testCase: Case, superOffload: SuperOffloadSwitch): JsonObject {
  const mode = modes[testCase.mode];
  const zero = mode.zeroOptimization(testCase);
  if (!mode.superOffload || superOffload !== 'key') return zero;
  return { ...zero, offload_optimizer: { ...objectAt(zero, 'offload_optimizer'), super_offload: true } };
}

/** fp16 starts at 2^12 and halves after two overflows, as the artifact has it; fp32 has no section. */
function precision(dtype: Dtype, { deepspeedVersion }: BuildOptions): JsonObject {
  switch (dtype) {
    case 'fp32':
      return {};
    case 'bf16':
      return { bf16: { enabled: true, ...checkOverflow(deepspeedVersion) } };
    case 'fp16':
      return {
        fp16: {
          enabled: true,
          loss_scale: 0,
          initial_scale_power: 12,
          loss_scale_window: 50,
          hysteresis: 2,
          min_loss_scale: 1,
        },
      };
  }
}

/** Its default was false in 0.18 and is true in 0.19: said aloud, both skip a bad step. Unknown before 0.18. */
function checkOverflow(version: string): JsonObject {
  return versionOrder(version, '0.18.0') < 0 ? {} : { check_grad_overflow: true };
}

/**
 * Everything that is wrong with a case before DeepSpeed sees it.
 * @param allowUnsafe lets combinations run that are known to give wrong numbers.
 */
export function caseFaults(testCase: Case, { allowUnsafe = false }: { allowUnsafe?: boolean } = {}): Fault[] {
  const mode = modes[testCase.mode];
  const faults: Fault[] = [];
  const { dataParallel } = sharedSettings(testCase);
  const { microBatch, globalBatch, gradientAccumulation, ratio } = testCase;
  if (globalBatch !== microBatch * gradientAccumulation * dataParallel) {
    faults.push({
      place: '--global-batch',
      problem: `${globalBatch} is not micro-batch ${microBatch} x accumulation ${gradientAccumulation} x ${dataParallel} ranks`,
    });
  }
  if (ratio !== null && !(ratio >= 0 && ratio <= 1)) {
    faults.push({
      place: '--ratio',
      problem: `${ratio} is not a share`,
      expected: 'the share of the optimizer on the CPU, 0 to 1',
    });
  }
  const clipping = testCase.deepspeedOverrides['gradient_clipping'] ?? testCase.gradientClipping;
  if (mode.superOffload && testCase.dtype === 'fp16' && clipping === 0 && !allowUnsafe) {
    faults.push(clippingFault(testCase.mode));
  }
  return [...faults, ...workloadFaults(testCase)];
}
