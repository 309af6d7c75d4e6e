import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tuneText } from '../../../src/cli/text/tune.ts';
import { tune } from '../../../src/workflows/tune/tune.ts';
import { offloadIsFastest, textOf, toyTuning, type ToyTuning } from './toy-tuning.ts';

let toy: ToyTuning;
beforeEach(async () => {
  toy = await toyTuning();
  toy.setSpeed(offloadIsFastest);
});
afterEach(() => {
  toy.remove();
});

describe('a trial that is cut', () => {
  const flags = { models: ['tiny'], chips: 1, microBatch: 8, activationCheckpointing: false };
  const budget = { maxTrials: 1, maxMinutes: 8, memoryMargin: 0.05 };

  it('by the time of the tuning is not finished, and made again when there is more of it', async () => {
    // A launch that was made tells that the next one does not take the seconds that were predicted.
    await tune(
      toy.context,
      await toy.plan({ flags: { ...flags, modes: ['zero_infinity'] }, budget, out: 'first' }),
    );
    const both = { ...flags, modes: ['zero_offload', 'zero_infinity'] };
    toy.setPause(60);
    const short = await toy.plan({ flags: both, budget: { ...budget, maxMinutes: 0.06 } });
    const sizes = await tune(toy.context, short);
    const cut = sizes[0]?.trials.at(-1);
    expect(cut?.result).toMatchObject({ kind: 'unfinished' });
    expect(sizes[0]?.choice?.mode).toBe('zero_infinity');
    expect(tuneText(short, sizes)).toMatch(/not finished/);
    expect(tuneText(short, sizes)).toContain(`${cut?.mode}: not tried: a launch would not have finished`);
    toy.setPause(0);
    const [again] = await tune(toy.context, await toy.plan({ flags: both }));
    expect(again?.trials.find(({ mode }) => mode === cut?.mode)?.result.kind).toBe('measured');
    expect(again?.choice?.mode).toBe('zero_offload');
  });

  it('by --timeout has failed', async () => {
    toy.setPause(60);
    const limits = { timeoutMs: 1000 };
    const plan = () => toy.plan({ flags: { ...flags, modes: ['zero_offload'] }, limits, budget });
    const [size] = await tune(toy.context, await plan());
    expect(size?.trials.map(({ result }) => result.kind)).toEqual(['failed']);
    // As SIGKILL leaves it after the trial: what goes on has it.
    const [name] = readdirSync(join(toy.home, 'tunes')).filter((file) => file.endsWith('.ndjson'));
    const journal = join(toy.home, 'tunes', name!);
    const lines = textOf(journal).split('\n');
    writeFileSync(journal, lines.filter((line) => !line.includes('"end"')).join('\n'));
    const [again] = await tune(toy.context, await plan());
    expect(again?.trials.map(({ result }) => result.kind)).toEqual(['failed']);
    expect(toy.launches()).toHaveLength(1);
  });
});
