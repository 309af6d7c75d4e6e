import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readForkRollback } from '../../../src/core/stack/fork-rollback.ts';
import { judgeRollback, knownFaults, parseRollback } from '../../../src/core/stack/rollback.ts';

const fixture = (name: string): string =>
  readFileSync(join(import.meta.dirname, '../../fixtures/rollback', name), 'utf8');

const recorded = parseRollback(fixture('deepspeed-0.19.8.txt'));
const good = recorded?.checks.find(({ name, steps }) => name === 'dense' && steps[0] === 10);
if (recorded === undefined || good === undefined) throw new Error('the fixture has no good check');

describe('the check of this tool', () => {
  it('reads and judges what DeepSpeed 0.19.8 gave', () => {
    const checks = recorded.checks.map(judgeRollback);
    const verdicts = checks.map(({ name, sizes, steps, passed }) => [name, sizes, steps, passed]);
    expect(verdicts).toEqual([
      ...[7, 1001].flatMap((size) => [1, 2, 10, 1000].map((step) => ['dense', [size], [step], step !== 1])),
      ['subgroups', [1001, 1002, 1003], [1, 2, 10], false],
      ['unseen', [1001], [10], false],
      ['overflow', [1001, 1001], [10, 10], false],
      ['no-bias-correction', [1001], [10], false],
      ['adam-l2', [1001], [10], false],
    ]);
    expect(knownFaults(checks)).toHaveLength(4);
    expect(checks.find(({ name }) => name === 'overflow')?.problems).toContain(
      'momentum is not finite after the rollback',
    );
  });

  it('takes the last result line, and none for none', () => {
    const line = (deepspeed: string): string =>
      `SUPEROFFLOAD ${JSON.stringify({ torch: '2', deepspeed, checks: [] })}`;
    expect(parseRollback(`${line('1')}\nnoise\n${line('2')}\nmore`)?.deepspeed).toBe('2');
    expect(parseRollback('checked dense\n')).toBeUndefined();
    expect(parseRollback('')).toBeUndefined();
  });

  it.each([
    [{}, []],
    [{ parameterUnits: 16 }, []],
    [{ parameterUnits: 16.1 }, ['parameters are off by 16.1 units of fp32 rounding (16 allowed)']],
    [{ momentumUnits: 300 }, ['momentum is off by 300 units of fp32 rounding (16 allowed)']],
    [{ varianceUnits: null }, ['variance is not finite after the rollback']],
    [{ negativeVariances: 2 }, [`2 of ${good.elements} variances are below 0`]],
    [{ nonFiniteLater: 1 }, [`1 of ${good.elements} parameters are not finite three steps later`]],
    [{ wrongStepCounts: 1 }, ['1 of 4 step counts are not restored']],
    [
      { negativeVariances: 1, nonFiniteLater: 1 },
      [
        `1 of ${good.elements} variances are below 0`,
        `1 of ${good.elements} parameters are not finite three steps later`,
      ],
    ],
  ])('%j: %j', (change, problems) => {
    const check = judgeRollback({ ...good, ...change });
    expect(check.problems).toEqual(problems);
    expect(check.passed).toBe(problems.length === 0);
    expect(knownFaults([check]).length).toBe('negativeVariances' in change ? 1 : 0);
  });
});

describe("the fork's script", () => {
  const output = fixture('fork-script.txt');

  it('is back at the step it names', () => {
    expect(readForkRollback(output)).toMatchObject({ step: 18, passed: true, largestDifference: 0 });
    expect(readForkRollback(output)?.after).toHaveLength(10);
  });

  it.each([
    ['one of the last printed digit is rounding', /(Rollback.*\[ )0\.965/, '$10.966', true],
    ['two are not', /(Rollback.*\[ )0\.965/, '$10.967', false],
    ['a weight that was set to 0', /(Rollback.*\[ )0\.965/, '$10.000', false],
    ['nan', /(Rollback.*\[ )0\.965/, '$1nan', false],
  ])('%s', (_, pattern, replacement, passed) => {
    expect(output).toMatch(pattern);
    expect(readForkRollback(output.replace(pattern, replacement))?.passed).toBe(passed);
  });

  it('compares with the step that is named, in scientific notation too', () => {
    const text = [
      'Optimizer Step 0: Param[:10] = tensor([1.000e+00, 2.000e-05])',
      'Optimizer Step 1: Param[:10] = tensor([9.000e+00, 1.000e-05])',
      'Rollback Back to Step 0: Param[:10] = tensor([1.000e+00, 2.002e-05])',
    ].join('\n');
    expect(readForkRollback(text)).toMatchObject({ step: 0, passed: false });
    expect(readForkRollback(text.replace('2.002', '2.001'))?.passed).toBe(true);
  });

  it.each([
    ['', 'nothing'],
    ['Optimizer Step 0: Param[:10] = tensor([1.000])', 'no rollback'],
    ['Rollback Back to Step 3: Param[:10] = tensor([1.000])', 'no such step'],
    [
      'Optimizer Step 3: Param[:10] = tensor([1.000, 2.000])\nRollback Back to Step 3: Param[:10] = tensor([1.000])',
      'other lengths',
    ],
  ])('%j says nothing (%s)', (text) => {
    expect(readForkRollback(text)).toBeUndefined();
  });
});
