import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runNamed, runsNamed } from '../../../src/workflows/records/named-runs.ts';
import { tagRuns } from '../../../src/workflows/records/tags.ts';
import { runsToRemove } from '../../../src/workflows/runs/runs.ts';
import { sampleHome } from './sample-home.ts';

const { context, home, store } = sampleHome();
const [first, second, third, gone] = [store(), store(), store(), store()].map(({ runId }) => runId) as [
  string,
  string,
  string,
  string,
];
await tagRuns(context, 'best', [first], { dryRun: false });
await tagRuns(context, 'pair', [first, second, gone], { dryRun: false });
await tagRuns(context, 'lost', [gone], { dryRun: false });
rmSync(join(home, 'runs', gone), { recursive: true });

describe('a run by what a person calls it', () => {
  it.each([
    ['its id', second, second],
    ['the end of its id', second.slice(-4), second],
    ['"last"', 'last', third],
    ['a tag of one run', 'best', first],
  ])('is found by %s', async (_, word, runId) => {
    expect(await runNamed(context, word)).toBe(runId);
  });

  it.each([
    ['a tag of several', 'pair', /"pair" stands for 2 runs, and one is wanted/],
    ['a tag of none that is left', 'lost', /"lost" stands for no run/],
    ['all of them', 'runs', /there is no run "runs"/],
    ['nothing of the kind', 'nonsense', /there is no run "nonsense"/],
    ['too little', '2', /at least 4 characters/],
  ])('is not found by %s', async (_, word, message) => {
    await expect(runNamed(context, word)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(message) as string,
    });
  });

  it('may be several where several are wanted: those of a tag that are left', async () => {
    expect(await runsNamed(context, 'pair')).toEqual([first, second]);
    expect(await runsToRemove(context, ['pair', third, first])).toEqual([first, second, third]);
    await expect(runsToRemove(context, ['runs'])).rejects.toThrow('there is no run "runs"');
  });
});
