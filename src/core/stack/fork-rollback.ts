/**
 * What the fork's own tests/superadam/rollback.py says: the first ten parameters after every step, then after a
 * rollback together with the number of the step that it should be back at.
 */

export interface ForkRollback {
  /** The step that the script says it is back at. */
  readonly step: number;
  /** Printed after that step, and after the rollback. */
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Largest difference of two printed values. */
  readonly largestDifference: number;
  /** True when every value is the same to within one of its last printed digit. */
  readonly passed: boolean;
}

/** @returns undefined when the output has not both: the step that is named, and the rollback to it. */
export function readForkRollback(output: string): ForkRollback | undefined {
  const back = /^Rollback\b[^\n]*?Step (\d+):[^=\n]*=\s*tensor\(\[([^\]]*)\]/m.exec(output);
  if (back === null) return undefined;
  const [, step = '', tensor = ''] = back;
  const stepped = new RegExp(`^Optimizer Step ${step}:[^=\\n]*=\\s*tensor\\(\\[([^\\]]*)\\]`, 'm').exec(
    output,
  );
  const [before, after] = [valuesOf(stepped?.[1] ?? ''), valuesOf(tensor)];
  if (before.length === 0 || before.length !== after.length) return undefined;
  const differences = before.map((text, index) => Math.abs(Number(text) - Number(after[index])));
  const passed = before.every((text, index) => {
    const difference = differences[index] ?? Number.NaN;
    // The subtraction of two decimals rounds, so that one digit may come out as 1.0000000000000009 of them.
    return difference <= 1.01 * Math.max(lastDigit(text), lastDigit(after[index] ?? ''));
  });
  return { step: Number(step), before, after, largestDifference: Math.max(...differences), passed };
}

function valuesOf(tensor: string): string[] {
  return tensor
    .split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

/** What one in the last printed digit is worth: 0.001 of `-1.234`, 1e-5 of `1.234e-02`. */
function lastDigit(text: string): number {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  return 10 ** (Number(exponent) - (mantissa.split('.')[1]?.length ?? 0));
}
