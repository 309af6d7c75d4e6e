import { describe, expect, it } from 'vitest';
import { planUpdate } from '../../../src/core/gate/update.ts';
import { baselineOf, launch, session, speed } from './gate-runs.ts';

const utc = '2026-06-01T00:00:00.000Z';
const options = { metrics: speed, threshold: 0.05, allowLooser: false, utc };
const first = planUpdate(null, session(0, [1000, 1004, 996]), [], options);
const later = (stepMs: readonly number[]) =>
  session(0, stepMs).map((run) => ({ ...run, startedUtc: '2026-01-01T00:30:00.000Z' }));

describe('references from runs', () => {
  it('are made with bounds, noise and where they come from', () => {
    expect(first).toMatchObject({ writes: true, changes: [{ kind: 'added', before: null }] });
    expect(first.next.references).toMatchObject([
      {
        metric: 'modelTflopsPerGpu',
        unit: 'TFLOPS',
        lower: -0.05,
        upper: 0.052632,
        noise: { launches: 3, sessions: 1, betweenLaunches: { degrees: 2 }, betweenSessions: null },
        provenance: {
          stack: { hash: 'aaaa' },
          tool: { version: '0.1.0' },
          firstUtc: '2026-01-01T00:00:00.000Z',
        },
      },
    ]);
    expect(first.next.references[0]!.value).toBeCloseTo(100, 2);
    expect(first.next.references[0]!.provenance!.runs).toHaveLength(3);
  });

  it.each([
    ['better past the noise', [900, 902, 898], 'tightened', true],
    ['as before', [1002, 998, 1001], 'kept', false],
    ['a little better, within the noise', [996, 1000, 994], 'kept', false],
    ['worse past the noise', [1100, 1104, 1096], 'refused', false],
  ] as const)('%s: %j is %s', (_, stepMs, kind, writes) => {
    const plan = planUpdate(first.next, later(stepMs), [], options);
    expect(plan).toMatchObject({ writes, changes: [{ kind }] });
    const [kept] = plan.next.references;
    expect(kept!.value === first.next.references[0]!.value).toBe(kind !== 'tightened');
  });

  it('become worse only where that is allowed, and keep the bounds that a person set', () => {
    const narrow = baselineOf(first.next.references.map((reference) => ({ ...reference, lower: -0.01 })));
    const plan = planUpdate(narrow, later([1100, 1104, 1096]), [], { ...options, allowLooser: true });
    expect(plan).toMatchObject({ writes: true, changes: [{ kind: 'loosened' }] });
    expect(plan.next.references).toMatchObject([{ lower: -0.01, value: 90.9095 }]);
  });

  it('one that is refused holds back all others of the same update', () => {
    const other = { subject: { globalBatch: 16 } };
    const plan = planUpdate(
      first.next,
      [...later([1100, 1104, 1096]), ...session(0, [500, 501], other)],
      [],
      options,
    );
    expect(plan.changes.map(({ kind }) => kind)).toEqual(['refused', 'added']);
    expect(plan.writes).toBe(false);
  });

  it('of cases that were not run stay, and expected failures too', () => {
    const before = {
      ...first.next,
      expectedFailures: [{ case: { mode: 'prism' }, reason: 'x', until: '2026-07-01' }],
    };
    const plan = planUpdate(before, session(0, [500, 501], { subject: { globalBatch: 16 } }), [], options);
    expect(plan.next.references).toHaveLength(2);
    expect(plan.next.references[0]).toBe(before.references[0]);
    expect(plan.next.expectedFailures).toBe(before.expectedFailures);
  });

  it('failed runs make none', () => {
    expect(planUpdate(null, [launch({ outcome: 'crash' })], [], options)).toMatchObject({
      changes: [],
      writes: false,
    });
  });
});
