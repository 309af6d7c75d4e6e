import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tuneExitCode } from '../../../src/cli/screens/tune.ts';
import { tuneText } from '../../../src/cli/text/tune.ts';
import { tune } from '../../../src/workflows/tune/tune.ts';
import { textOf, toyTuning, type ToyTuning } from './toy-tuning.ts';

let toy: ToyTuning;
beforeEach(async () => {
  toy = await toyTuning();
});
afterEach(() => {
  toy.remove();
});

const file = 'tiny-1chip-b8-s128';

describe('tune --max-trials 0', () => {
  it('chooses by prediction alone where no trial is allowed, and says so', async () => {
    const plan = await toy.plan({ budget: { maxTrials: 0, maxMinutes: 8, memoryMargin: 0.05 } });
    const sizes = await tune(toy.context, plan);
    expect(toy.launches()).toEqual([]);
    expect(sizes[0]?.choice).toMatchObject({ isPredicted: true });
    expect(tuneExitCode(sizes)).toBe(0);
    expect(tuneText(plan, sizes)).toContain('by prediction alone, nothing was measured');
    expect(textOf(toy.cwd, 'tuned', `${file}.txt`)).toContain('nothing was measured');
  });

  it('chooses by prediction for a machine that is not here, and says nothing of what is no candidate', async () => {
    const flags = { models: ['25B'], modes: ['zero_infinity'] };
    const budget = { maxTrials: 0, maxMinutes: 8, memoryMargin: 0.05 };
    const plan = await toy.plan({ flags, budget, system: 'gh200' });
    expect(plan.notes.join('\n')).not.toContain('may not fit');
    const [size] = await tune(toy.context, plan);
    expect(size?.choice).toMatchObject({ mode: 'zero_infinity', isPredicted: true });
    expect(size?.choice?.command).toContain('--system gh200');
    expect(toy.launches()).toEqual([]);
  });

  it('says so where --out is a file', async () => {
    writeFileSync(join(toy.cwd, 'tuned'), '');
    const plan = await toy.plan({ budget: { maxTrials: 0, maxMinutes: 8, memoryMargin: 0.05 } });
    await expect(tune(toy.context, plan)).rejects.toMatchObject({
      code: 'usage',
      hint: 'choose another folder with --out',
    });
  });
});
