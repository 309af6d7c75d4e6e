import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tune } from '../../../src/workflows/tune/tune.ts';
import type { TrialReport } from '../../../src/workflows/tune/report.ts';
import { toyTuning, type ToyTuning } from './toy-tuning.ts';

let toy: ToyTuning;
beforeEach(async () => {
  toy = await toyTuning();
});
afterEach(() => {
  toy.remove();
});

/** One candidate, one launch of it. */
async function launchOnce(mode: string, stepMs: number): Promise<readonly TrialReport[]> {
  toy.setSpeed(`ms=${stepMs}`);
  const flags = { models: ['tiny'], modes: [mode], microBatch: 8, activationCheckpointing: false };
  const budget = { maxTrials: 1, maxMinutes: 8, memoryMargin: 0.05 };
  const [size] = await tune(
    toy.context,
    await toy.plan({ flags, budget, out: `${mode}-${stepMs}`, fresh: true }),
  );
  return size!.trials;
}

describe('the published configurations that a choice is held against', () => {
  // The luckiest launch of many would be held against each single one of the choice.
  it('are told by all of their launches, as the choice is by all of its own', async () => {
    await launchOnce('zero_infinity', 90);
    await launchOnce('zero_infinity', 160);
    await launchOnce('zero_2', 50);
    await launchOnce('zero_2', 72);
    const flags = { models: ['tiny'], modes: ['zero_2'], microBatch: 8, activationCheckpointing: false };
    const [size] = await tune(toy.context, await toy.plan({ flags, out: 'both' }));
    // Two launches were stored: 60 ms pooled, against 120 ms.
    expect(size!.trials.map(({ ratio }) => ratio?.toFixed(2))).toEqual(['2.00', '2.00']);
  });
});
