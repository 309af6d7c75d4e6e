import { describe, expect, it } from 'vitest';
import { createLab, h200, simulateAb, simulateStored } from '../../../bench/gate-simulation.ts';

/** A small part of bench/gate.md, so that a change of the rule that costs its promise is seen at once. */
const runs = 150;
const limits = { precision: 0.02, maxPairs: 20 };

function shareOf(verdict: string, one: (lab: ReturnType<typeof createLab>) => string): number {
  const lab = createLab(7);
  let count = 0;
  for (let run = 0; run < runs; run += 1) count += Number(one(lab) === verdict);
  return count / runs;
}

describe('the gate on recorded step times', () => {
  it('cries wolf in fewer than one comparison of a hundred, and passes what is equal', () => {
    const same = (threshold: number) => (lab: ReturnType<typeof createLab>) =>
      simulateAb(lab, h200, 1, { ...limits, threshold }).verdict;
    expect(shareOf('regression', same(0.05))).toBeLessThan(0.01);
    expect(shareOf('pass', same(0.05))).toBeGreaterThan(0.95);
  });

  it('finds a true 5% with a threshold of 2.5%, and with one of 5% does not pass it', () => {
    const slower = (threshold: number) => (lab: ReturnType<typeof createLab>) =>
      simulateAb(lab, h200, 1 / 0.95, { ...limits, threshold }).verdict;
    expect(shareOf('regression', slower(0.025))).toBeGreaterThan(0.95);
    // 3% of thousands (bench/gate.md), and three standard errors of so few.
    expect(shareOf('pass', slower(0.05))).toBeLessThan(0.08);
  });

  it('of stored runs of other machines says that it cannot tell', () => {
    const setting = { threshold: 0.05, launches: 3, history: 10, trusted: 'sessions', cases: 1 } as const;
    const stored = (slower: number) => (lab: ReturnType<typeof createLab>) =>
      simulateStored(lab, h200, slower, setting);
    expect(shareOf('regression', stored(1))).toBeLessThan(0.02);
    expect(shareOf('pass', stored(1 / 0.95))).toBeLessThan(0.05);
  });
});
