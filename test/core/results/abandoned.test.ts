import { describe, expect, it } from 'vitest';
import { trialsOf } from '../../../src/core/figures/trial.ts';
import { unitsOf } from '../../../src/core/compare/unit.ts';
import { isUnfinished, selectRuns } from '../../../src/core/gate/select-runs.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import {
  isMeasured,
  modeRatios,
  summarizeCases,
  type ModeRatio,
} from '../../../src/core/results/summarize.ts';
import { launches } from '../figures/launches.ts';

const abandoned = { aboveMs: 900 };
const [whole, early] = launches({ stepMs: 1_000 }, { stepMs: 1_400, change: { abandoned } }) as [
  RunRecord,
  RunRecord,
];

describe('a trial that a tuning gave up early', () => {
  it('counts in no statistics: the row is that of the whole launches', () => {
    expect([whole, early].map(isMeasured)).toEqual([true, false]);
    expect(summarizeCases([early, whole])[0]).toMatchObject({ stepMs: whole.statistics?.medianMs });
    expect(summarizeCases([early])[0]?.stepMs).toBeNull();
    expect(unitsOf([early, whole])[0]?.measured).toEqual([whole]);
  });

  it('is of no round: the launches after it stay beside those of their own', () => {
    const mode = { mode: 'prism', ratio: 0.9 } as const;
    const change = { caseId: 'prism' };
    const given = launches(
      { stepMs: 1_000 },
      { stepMs: 1_100 },
      { stepMs: 1_200 },
      { subject: mode, stepMs: 900, change: { ...change, abandoned } },
      { subject: mode, stepMs: 500, change },
      { subject: mode, stepMs: 550, change },
      { subject: mode, stepMs: 600, change },
    );
    const [{ ratio }] = modeRatios(summarizeCases(given)) as [ModeRatio];
    expect(ratio).toMatchObject({ basis: 'between launches', pairs: 3 });
    expect(ratio.ratio).toBeCloseTo(2, 6);
  });

  it('is in no figure', () => {
    expect(trialsOf(10, [whole, early]).trials.map(({ record }) => record)).toEqual([whole]);
  });

  it('is no regression to the gate: neither the newest session nor history', () => {
    expect([whole, early].map(isUnfinished)).toEqual([false, true]);
    const reference = { provenance: null } as unknown as Parameters<typeof selectRuns>[0];
    const pool = { named: null, stored: [whole, early], historyLimit: 5, holdsPast: false };
    expect(selectRuns(reference, pool)).toEqual({ candidates: [whole], history: [] });
  });

  it('stays a failure where it failed before it could obey', () => {
    const [crash] = launches({ outcome: 'crash', change: { abandoned } });
    expect(isUnfinished(crash!)).toBe(false);
  });
});
