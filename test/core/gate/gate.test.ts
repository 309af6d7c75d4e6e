import { describe, expect, it } from 'vitest';
import { gateExitCode } from '../../../src/core/gate/report.ts';
import { hold, launch, session } from './gate-runs.ts';

const reference = session(0, [1000, 1004, 996]);
/** Ten days of one launch each that differ by 1%. */
const tenDays = Array.from({ length: 10 }, (_, day) =>
  launch({ day: day - 20, stepMs: 1000 + 10 * ((day % 3) - 1) }),
);

describe('runs against references of the same session', () => {
  it.each([
    ['the same speed', [1002, 998, 1000], 'pass', 0],
    ['3% slower, which 5% allows', [1030, 1034, 1028], 'pass', 0],
    ['12% slower', [1120, 1124, 1117], 'regression', 5],
    ['20% faster', [832, 834, 833], 'improved', 0],
    ['12% slower, but launches differ by 20%', [1120, 1400, 900], 'inconclusive', 6],
    ['5.5% slower, but launches differ by 4%', [1055, 1095, 1017], 'inconclusive', 6],
  ] as const)('%s', (_, stepMs, status, code) => {
    const named = session(0, stepMs).map((run) => ({ ...run, startedUtc: '2026-01-01T00:20:00.000Z' }));
    const report = hold({ reference, named });
    expect(report.rows).toMatchObject([{ status, metric: 'modelTflopsPerGpu', basis: 'between launches' }]);
    expect(gateExitCode(report.verdict)).toBe(code);
  });

  it('more memory is worse, fewer TFLOPS are: each metric has its direction', () => {
    const named = session(0, [1000, 1000, 1000], { gpuGiB: 31, hostGiB: 30 });
    const rows = hold({ reference, named, metrics: ['peakGpuGiB', 'peakHostGiB', 'stepMs'] }).rows;
    expect(rows.map(({ metric, status }) => [metric, status])).toEqual([
      ['peakGpuGiB', 'regression'],
      ['peakHostGiB', 'improved'],
      ['stepMs', 'pass'],
    ]);
    expect(rows[0]).toMatchObject({ basis: 'counted', pValue: null });
  });
});

describe('runs against references of another day', () => {
  it('answers 6 and says how to know more, however clear the difference looks', () => {
    const report = hold({ reference, named: session(9, [1200, 1204, 1196]) });
    expect(report.rows).toMatchObject([{ status: 'inconclusive', basis: 'between launches' }]);
    expect(report.rows[0]?.reason).toContain('sessions is not known');
    expect(report.rows[0]?.hint).toContain('gate --ab');
  });

  it('decides with --noise launches, where sessions do not differ', () => {
    const named = session(9, [1200, 1204, 1196]);
    expect(hold({ reference, named, options: { trusted: 'launches' } }).verdict).toBe('regression');
  });

  it('decides by a history of sessions, kept in the reference or stored since', () => {
    const inReference = hold({ reference, history: tenDays, named: session(9, [1120]) });
    expect(inReference.rows).toMatchObject([
      { status: 'regression', basis: 'between sessions', launches: 1 },
    ]);
    const since = Array.from({ length: 10 }, (_, day) =>
      launch({ day: day + 1, stepMs: 1000 + 10 * ((day % 3) - 1) }),
    );
    const stored = hold({ reference, named: session(20, [1120]), stored: since });
    expect(stored.rows).toMatchObject([{ status: 'regression', basis: 'between sessions' }]);
    const none = hold({ reference, named: session(20, [1120]), stored: since, options: { historyLimit: 0 } });
    expect(none.rows).toMatchObject([{ status: 'inconclusive', basis: 'between launches' }]);
  });

  it('a wide history makes the same loss an open question', () => {
    const wide = tenDays.map((run, day) => launch({ day: day - 20, stepMs: 1000 + 150 * ((day % 3) - 1) }));
    expect(hold({ reference, history: wide, named: session(9, [1120]) }).verdict).toBe('inconclusive');
  });

  it('one launch against one launch: the interval is within a run, labelled, and decides nothing', () => {
    const report = hold({ reference: [launch()], named: [launch({ day: 3, stepMs: 1500 })] });
    expect(report.rows).toMatchObject([{ status: 'inconclusive', basis: 'within one run' }]);
    expect(report.rows[0]?.reason).toContain('(within one run)');
  });

  it('a stack that changed in the history is a step of its level, and no noise', () => {
    const faster = tenDays.map((_, day) =>
      launch({ day: day - 20, stepMs: (day < 5 ? 1400 : 1000) + day, stack: day < 5 ? 'old' : 'aaaa' }),
    );
    expect(hold({ reference, history: faster, named: session(9, [1120]) }).rows).toMatchObject([
      { status: 'regression', basis: 'between sessions' },
    ]);
  });
});

describe('what was not measured', () => {
  it.each([
    ['crash', 'failed', 4],
    ['gpu_oom', 'failed', 4],
    ['hang', 'failed', 4],
    ['interrupted', 'missing', 6],
    ['preempted', 'missing', 6],
  ] as const)('a run that ended as %s is %s', (outcome, status, code) => {
    const report = hold({ reference, named: [launch({ day: 1, outcome })] });
    expect(report.rows).toMatchObject([{ status }]);
    expect(gateExitCode(report.verdict)).toBe(code);
  });

  it('one failed launch among good ones is a failure; one that a person ended is not', () => {
    const good = session(0, [1000, 1001, 999]);
    expect(hold({ reference, named: [...good, launch({ outcome: 'crash' })] }).verdict).toBe('failed');
    expect(hold({ reference, named: [...good, launch({ outcome: 'cancelled' })] }).verdict).toBe('pass');
  });

  it('a case that was not run is missing: 6, unless that is allowed; nothing at all is never a pass', () => {
    expect(hold({ reference, named: [] }).verdict).toBe('inconclusive');
    const both = [...reference, ...session(0, [500, 501], { subject: { globalBatch: 16 } })];
    const named = session(0, [1000, 1001]);
    expect(hold({ reference: both, named }).verdict).toBe('inconclusive');
    expect(hold({ reference: both, named, options: { allowMissing: true } }).verdict).toBe('pass');
    expect(hold({ reference, named: [], options: { allowMissing: true } }).verdict).toBe('inconclusive');
    expect(hold({ reference: [], named }).verdict).toBe('inconclusive');
  });

  it('a case without a reference is said; one that broke fails; out of memory is an answer', () => {
    const more = (outcome: 'ok' | 'crash' | 'host_oom') => launch({ outcome, subject: { globalBatch: 64 } });
    const named = session(0, [1000, 1001]);
    expect(hold({ reference, named: [...named, more('ok')] }).rows[1]).toMatchObject({ status: 'new' });
    expect(hold({ reference, named: [...named, more('host_oom')] }).verdict).toBe('pass');
    expect(hold({ reference, named: [...named, more('crash')] }).verdict).toBe('failed');
  });

  it('values that are none decide nothing', () => {
    const named = session(0, [1000, 1000]).map((run) => ({
      ...run,
      throughput: { ...run.throughput, modelTflopsPerGpu: Number.NaN, loggedTflopsPerGpu: null },
    }));
    expect(hold({ reference, named }).rows).toMatchObject([{ status: 'inconclusive', ratio: null }]);
  });
});

describe('which runs are looked at where nobody named any', () => {
  it('the newest session since the reference; what lies between is history', () => {
    const stored = [...tenDays, ...reference, ...session(1, [1300, 1300]), ...session(2, [1001, 1002, 1000])];
    const report = hold({ reference, history: tenDays, named: null, stored });
    expect(report.rows).toMatchObject([{ launches: 3, status: 'pass', basis: 'between sessions' }]);
    expect(report.rows[0]?.runs).toEqual(stored.slice(-3).map(({ runId }) => runId));
  });

  it('the runs of the reference are never held against it', () => {
    expect(hold({ reference, named: null, stored: reference }).rows).toMatchObject([{ status: 'missing' }]);
  });
});

describe('many references of one gate', () => {
  const sizes = Array.from({ length: 12 }, (_, index) => ({ globalBatch: 8 * (index + 1) }));
  const all = (stepMs: readonly number[]) => sizes.flatMap((subject) => session(0, stepMs, { subject }));

  it('a slowdown of all is found in all', () => {
    const report = hold({ reference: all([1000, 1004, 996]), named: all([1100, 1104, 1096]) });
    expect(report.rows.map(({ status }) => status)).toEqual(sizes.map(() => 'regression'));
  });

  it('one borderline p value among many is no alarm, alone it is one', () => {
    const slow = [1080, 1120, 1100];
    const noisy = [1000, 1022, 978];
    const alone = hold({ reference: session(0, noisy), named: session(0, slow) });
    expect(alone.rows[0]).toMatchObject({ status: 'regression' });
    const others = sizes.slice(1).flatMap((subject) => session(0, noisy, { subject }));
    const named = [...session(0, slow), ...others];
    const report = hold({ reference: [...session(0, noisy), ...others], named });
    expect(report.rows[0]!.pValue!).toBeGreaterThan(alone.rows[0]!.pValue!);
    expect(report.rows[0]).toMatchObject({ status: 'inconclusive' });
  });
});

describe('failures that are expected', () => {
  const declared = { case: { mode: reference[0]!.case!.mode }, reason: 'torch issue 1', until: '2026-06-01' };
  const slow = session(0, [1200, 1201, 1199]);

  it('are excused to their last day, and not after it', () => {
    const excused = hold({ reference, named: slow, baseline: { expectedFailures: [declared] } });
    expect(excused).toMatchObject({ verdict: 'pass', rows: [{ status: 'expected' }] });
    expect(excused.rows[0]?.reason).toContain('torch issue 1');
    const options = { today: '2026-06-02' };
    const over = hold({ reference, named: slow, options, baseline: { expectedFailures: [declared] } });
    expect(over).toMatchObject({ verdict: 'regression', rows: [{ status: 'regression' }] });
    expect(over.rows[0]?.reason).toContain('that day is over');
    expect(over.notes.join()).toContain('it no longer is');
  });

  it('excuse a failed run, but neither a missing one nor another metric', () => {
    const crash = [launch({ outcome: 'crash' })];
    const baseline = { expectedFailures: [declared] };
    expect(hold({ reference, named: crash, baseline }).verdict).toBe('pass');
    expect(hold({ reference, named: [], baseline }).verdict).toBe('inconclusive');
    const other = { expectedFailures: [{ ...declared, metric: 'peakGpuGiB' as const }] };
    expect(hold({ reference, named: slow, baseline: other }).verdict).toBe('regression');
  });

  it('that pass are said, and so are those of no case', () => {
    const fine = session(0, [1000, 1001]);
    const passing = hold({ reference, named: fine, baseline: { expectedFailures: [declared] } });
    expect(passing.notes.join()).toContain('it passes now');
    const lost = { ...declared, case: { mode: 'nobody' } };
    expect(hold({ reference, named: fine, baseline: { expectedFailures: [lost] } }).notes.join()).toContain(
      'no run is of',
    );
  });
});

describe('the largest size', () => {
  const probe = (layers: number, outcome: 'ok' | 'host_oom') =>
    launch({
      outcome,
      experiment: 'model_size',
      subject: { model: { ...reference[0]!.case!.model, layers, name: `${layers}` } },
    });
  const before = [probe(20, 'ok'), probe(30, 'ok'), probe(40, 'host_oom')];
  const metrics = ['modelSize'] as const;

  it('is smaller only where something larger was tried', () => {
    expect(hold({ reference: before, named: before, metrics }).rows).toMatchObject([{ status: 'pass' }]);
    const worse = [probe(20, 'ok'), probe(30, 'host_oom')];
    expect(hold({ reference: before, named: worse, metrics }).verdict).toBe('regression');
    expect(hold({ reference: before, named: [probe(20, 'ok')], metrics }).verdict).toBe('inconclusive');
    const better = [probe(40, 'ok'), probe(50, 'host_oom')];
    expect(hold({ reference: before, named: better, metrics }).rows).toMatchObject([{ status: 'improved' }]);
    expect(hold({ reference: before, named: [], metrics }).rows).toMatchObject([{ status: 'missing' }]);
  });

  it('is no reference where the search met no wall, and its probes out of memory are no failures', () => {
    expect(
      hold({ reference: [probe(20, 'ok')], named: before, metrics }).rows.map(({ status }) => status),
    ).not.toContain('failed');
  });
});
