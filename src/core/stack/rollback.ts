/** What check_rollback.py, or the fork's own script, found about a step that is taken back; and what is wrong in it. */
import { resultLine } from './result-line.ts';

/** One check as experiment/stacks/check_rollback.py measured it: the worst of its cases. */
interface RollbackFinding {
  readonly name: RollbackCheckName;
  /** Elements of each subgroup. */
  readonly sizes: readonly number[];
  /** Which step of each subgroup was rolled back: what bias correction depends on. */
  readonly steps: readonly number[];
  /** Settings tried: learning rates and weight decays. */
  readonly cases: number;
  /**
   * Largest errors after the rollback, in units of fp32 rounding: 2**-23 times the larger of the value before the step
   * and after it. null: not finite any more.
   */
  readonly parameterUnits: number | null;
  readonly momentumUnits: number | null;
  readonly varianceUnits: number | null;
  /** Elements, over all cases. */
  readonly elements: number;
  readonly negativeVariances: number;
  /** Parameters that are not finite after three more steps, the first of them without a gradient. */
  readonly nonFiniteLater: number;
  /** Subgroups whose step count was not what it had been. */
  readonly wrongStepCounts: number;
}

export interface RollbackMeasurement {
  readonly torch: string;
  readonly deepspeed: string;
  readonly checks: readonly RollbackFinding[];
}

type RollbackCheckName = 'dense' | 'subgroups' | 'unseen' | 'overflow' | 'no-bias-correction' | 'adam-l2';

const titles: Readonly<Record<RollbackCheckName, string>> = {
  dense: 'random gradients',
  subgroups: 'subgroups at different steps',
  unseen: 'half the elements first used in that step',
  overflow: 'inf or nan in the gradient',
  'no-bias-correction': 'without bias correction',
  'adam-l2': 'Adam with L2 instead of AdamW',
};

/** A check with its verdict. */
export interface RollbackCheck extends RollbackFinding {
  readonly title: string;
  readonly passed: boolean;
  /** What is wrong, in words; empty for a check that passed. */
  readonly problems: readonly string[];
}

/**
 * Step and rollback compute the same update in two ways, with some eight roundings of half a unit each, and the update
 * is at most twice the larger of the two values: 16 units is rounding, more is not. 4.9 was measured.
 */
export const roundingUnits = 16;

/** @returns the last result line of check_rollback.py; undefined when there is none. */
export function parseRollback(stdout: string): RollbackMeasurement | undefined {
  return resultLine(stdout) as RollbackMeasurement | undefined;
}

/** Judges one measured check: rounding level, v >= 0 everywhere, the step count, and finite afterwards. */
export function judgeRollback(found: RollbackFinding): RollbackCheck {
  const errors = [
    ['parameters are', found.parameterUnits],
    ['momentum is', found.momentumUnits],
    ['variance is', found.varianceUnits],
  ] as const;
  const problems = [
    ...errors.flatMap(([what, units]) =>
      units === null
        ? [`${what} not finite after the rollback`]
        : units > roundingUnits
          ? [`${what} off by ${units.toPrecision(3)} units of fp32 rounding (${roundingUnits} allowed)`]
          : [],
    ),
    ...counted(found.negativeVariances, found.elements, 'variances are below 0'),
    ...counted(found.nonFiniteLater, found.elements, 'parameters are not finite three steps later'),
    ...counted(found.wrongStepCounts, found.cases * found.sizes.length, 'step counts are not restored'),
  ];
  return { ...found, title: titles[found.name], passed: problems.length === 0, problems };
}

function counted(count: number, of: number, what: string): string[] {
  return count === 0 ? [] : [`${count} of ${of} ${what}`];
}

/** A fault that is known, and where it lies. */
export interface KnownFault {
  readonly fault: string;
  readonly reference: string;
}

const source = 'DeepSpeed, csrc/adam/cpu_adam_impl.cpp, adamw_rollback_inplace';
const pull = 'since https://github.com/deepspeedai/DeepSpeed/pull/7559';

/** @returns what is known about the faults that these checks show (read in DeepSpeed 0.19.8), each once. */
export function knownFaults(checks: readonly RollbackCheck[]): KnownFault[] {
  const failed = checks.filter(({ passed }) => !passed);
  const known = (shown: boolean, fault: string, reference: string): KnownFault[] =>
    shown ? [{ fault, reference }] : [];
  return [
    ...known(
      failed.some(({ negativeVariances }) => negativeVariances > 0),
      'v is taken back by subtraction and not kept at 0: where it was 0 before, it may end just below, and the next ' +
        'step without a gradient there takes the square root of it',
      `${source}, last lines of the loop; ${pull}`,
    ),
    ...known(
      failed.some(({ name }) => name === 'overflow'),
      'an inf or nan gradient cannot be subtracted again: the weight is set to 0, and the moments stay nan',
      `${source}, "Handle numerical instability"; ${pull}`,
    ),
    ...known(
      failed.some(({ name }) => name === 'no-bias-correction'),
      'the rollback always corrects the bias, whatever bias_correction says',
      `DeepSpeed, csrc/adam/cpu_adam_impl.cpp, ds_adam_rollback; ${pull}`,
    ),
    ...known(
      failed.some(({ name }) => name === 'adam-l2'),
      "the rollback always takes AdamW's step back, whatever adamw_mode says",
      `${source}; ${pull}`,
    ),
  ];
}
