import { describe, expect, it } from 'vitest';
import { trialsOf } from '../../../src/core/figures/trial.ts';
import { groupByKey } from '../../../src/core/gate/gate.ts';
import { abCaseId } from '../../../src/core/results/ab-launch.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { launch } from '../gate/gate-runs.ts';

describe('a side of an A/B', () => {
  it('is a case of its own, by its environment; figures do not count it', () => {
    const plain = launch();
    const [a, b] = ['1', '8'].map((threads) => ({
      ...launch({ experiment: 'gate-ab' }),
      caseId: abCaseId(plain.caseId, { OMP_NUM_THREADS: threads }),
    })) as [RunRecord, RunRecord];
    expect(new Set([plain, a, b].map(({ caseId }) => caseId)).size).toBe(3);
    expect(a.caseId.replace(/[^-]*$/, '')).toBe(plain.caseId.replace(/[^-]*$/, ''));
    expect(groupByKey([plain, a, b]).size).toBe(3);
    // Those of before sides had ids of their own.
    expect(groupByKey([plain, { ...a, caseId: plain.caseId }]).size).toBe(2);
    const own = { ...plain, case: { ...plain.case!, experiment: 'throughput' as const } };
    expect(trialsOf(10, [own]).trials).toHaveLength(1);
    expect(trialsOf(10, [{ ...own, experiment: 'gate-ab' }]).trials).toEqual([]);
  });
});
