import { describe, expect, it } from 'vitest';
import { abReport } from '../../../src/core/gate/ab/ab-report.ts';
import { precisionText } from '../../../src/core/gate/ab/next.ts';
import { orderOf, turnsOf } from '../../../src/core/gate/ab/turns.ts';
import { gateCaseOf } from '../../../src/core/gate/gate-case.ts';
import { runCommand, withNextStep } from '../../../src/core/gate/next-step.ts';
import { verdictLine } from '../../../src/core/gate/output/words.ts';
import { gateExitCode } from '../../../src/core/gate/report.ts';
import { emptyRow } from '../../../src/core/gate/rows.ts';
import { hold, launch, session } from './gate-runs.ts';

const reference = session(0, [1000, 1004, 996]);

describe('what to do next', () => {
  const row = (status: 'missing' | 'new' | 'improved') => ({
    ...emptyRow({ case: gateCaseOf(launch()), metric: 'modelTflopsPerGpu', unit: 'TFLOPS' }, []),
    status,
  });
  const asked = { baselineName: 'my refs.json', holdsPast: true, options: { allowMissing: false } };

  it('is a whole command, with the baseline that was meant', () => {
    expect(withNextStep(row('new'), asked).hint).toBe(
      "take it in: superoffload gate update --baseline 'my refs.json'",
    );
    expect(withNextStep(row('improved'), asked).hint).toContain("--baseline 'my refs.json'");
    // Runs are no file that references could be taken into.
    expect(withNextStep(row('new'), { ...asked, holdsPast: false }).hint).toBeNull();
  });

  it('of a missing reference runs its case, and is not said where that is allowed', () => {
    const { case: subject } = row('missing');
    expect(withNextStep(row('missing'), asked).hint).toContain(runCommand(row('missing')));
    expect(runCommand(row('missing'))).toContain(
      `superoffload throughput --mode ${subject.mode} --model ${subject.model!} --micro-batch ${subject.microBatch!}`,
    );
    expect(withNextStep(row('missing'), { ...asked, options: { allowMissing: true } }).hint).toBeNull();
    const search = { case: { ...subject, model: null, chips: 2 }, metric: 'modelSize' as const };
    expect(runCommand(search)).toContain(`superoffload model-size --mode ${subject.mode} --chips 2`);
    const ofCommand = { case: { ...subject, mode: 'command' }, metric: null };
    expect(runCommand(ofCommand)).toBe('superoffload throughput --workload command -- COMMAND');
  });

  it('nothing to judge is no pass', () => {
    const report = hold({ reference: [], named: reference });
    expect(report.rows).toMatchObject([{ status: 'new' }]);
    expect(gateExitCode(report.verdict)).toBe(6);
    expect(verdictLine(report)).toMatch(/nothing to judge: 1 new$/);
    expect(report.notes.join()).toContain('superoffload gate update --baseline');
  });
});

describe('what an open A/B advises', () => {
  const open = (
    stepMs: readonly (readonly [number, number])[],
    stopped: 'precise' | 'budget' | 'max pairs',
  ) => {
    let minute = 0;
    const launches = stepMs.flatMap(([base, head], pair) =>
      orderOf(pair).map((side) => {
        minute += 1;
        return { side, record: launch({ stepMs: side === 'base' ? base : head, minute }) };
      }),
    );
    const summary = {
      base: 'A',
      head: 'B',
      metrics: ['modelTflopsPerGpu'] as const,
      threshold: 0.05,
      stopped,
    };
    return abReport(turnsOf(launches), { ...summary, startedUtc: '2026-01-01T00:00:00Z' }).rows[0]!;
  };

  it.each([
    ['budget', '--budget'],
    ['max pairs', '--max-pairs'],
    ['precise', '--precision'],
  ] as const)('%s: flags that it has', (stopped, flag) => {
    const pairs = [[1000, 1400], [1100, 900], [900, 1300], [1200, 1000]] as const; // prettier-ignore
    const row = open(pairs, stopped);
    expect(row.status).toBe('inconclusive');
    expect(row.hint).toContain(flag);
    expect(row.hint).not.toMatch(/--repeat|--history|--noise|gate update/);
  });

  it('takes no reference over, and says a wide interval in words', () => {
    expect(open([[1000, 700], [1001, 701], [999, 702], [1000, 700]], 'precise')).toMatchObject({ status: 'improved', hint: null }); // prettier-ignore
    expect(precisionText(14.149, 0.02)).toBe('cannot tell the ratio yet, asked for 2.0%');
    expect(precisionText(Number.POSITIVE_INFINITY, 0.02)).toContain('cannot tell');
    expect(precisionText(0.031, 0.02)).toBe('ratio known to 3.1%, asked for 2.0%');
  });
});
