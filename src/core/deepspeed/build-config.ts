import type { Fault } from '../../errors.ts';
import type { Case, Dtype } from '../experiment/case.ts';
import { versionOrder } from '../stack/version.ts';
import type { JsonObject } from './modes/mode.ts';
import { modes } from './modes/registry.ts';
import { applyOverrides } from './overrides.ts';

export interface BuildOptions {
  /** Of the stack that will run it: keys that come and go between versions follow it. */
  readonly deepspeedVersion: string;
}

/**
 * Builds the whole DeepSpeed JSON of a case. There is no `optimizer` section: the trainer hands DeepSpeed its own
 * optimizer (DeepSpeedCPUAdam where the mode offloads it, torch AdamW elsewhere); DeepSpeed 0.18 to 0.19 takes both
 * without `zero_force_ds_cpu_optimizer` or `zero_allow_untested_optimizer` (runtime/engine.py,
 * _configure_optimizer; runtime/zero/utils.py, ZERO_SUPPORTED_OPTIMIZERS).
 * Check the case with {@link caseFaults} and the result with the adapters' `validateDeepSpeedConfig`.
 */
export function buildConfig(testCase: Case, options: BuildOptions): JsonObject {
  const config = {
    train_batch_size: testCase.globalBatch,
    train_micro_batch_size_per_gpu: testCase.microBatch,
    gradient_accumulation_steps: testCase.gradientAccumulation,
    ...precision(testCase.dtype, options),
    // Never left to DeepSpeed: its default was 0 until 0.19.3 and is 1.0 since.
    gradient_clipping: testCase.gradientClipping,
    steps_per_print: 1,
    // On, it would synchronize the device several times a step and change what is measured.
    wall_clock_breakdown: false,
    zero_optimization: modes[testCase.mode].zeroOptimization(testCase),
  };
  return applyOverrides(config, testCase.deepspeedOverrides);
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
  const dataParallel = testCase.chips;
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
  if (mode.name === 'prism' && testCase.dtype === 'fp16' && clippingOf(testCase) === 0 && !allowUnsafe) {
    faults.push({
      place: '--dtype fp16',
      problem:
        'prism without gradient clipping rolls an overflowed fp16 step back to weights of 0 and NaN moments ' +
        '(DeepSpeed up to 0.19.8), so the run would train wrongly without saying so',
      expected: '--dtype bf16, or --ds gradient_clipping=1.0, or --allow-unsafe to measure speed only',
    });
  }
  return faults;
}

function clippingOf(testCase: Case): unknown {
  return testCase.deepspeedOverrides['gradient_clipping'] ?? testCase.gradientClipping;
}
