import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tune } from '../../../src/workflows/tune/tune.ts';
import { toyTuning, type ToyTuning } from './toy-tuning.ts';

let toy: ToyTuning;
beforeEach(async () => {
  toy = await toyTuning();
});
afterEach(() => {
  toy.remove();
});

describe('what earlier commands launched', () => {
  // The best two may be launched once more: each tuning of the same would launch them again.
  it('is known as often as a search launches one candidate', async () => {
    const flags = {
      models: ['tiny'],
      modes: ['zero_offload'],
      microBatch: 8,
      activationCheckpointing: false,
    };
    for (const fresh of [false, true, true]) await tune(toy.context, await toy.plan({ flags, fresh }));
    const launched = toy.launches().length;
    const [size] = await tune(toy.context, await toy.plan({ flags }));
    expect(toy.launches()).toHaveLength(launched);
    expect(size?.trials.map(({ isStored }) => isStored)).toEqual([true, true]);
  });
});
