import { readdirSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { applyToTree, revertTree } from '../../../src/adapters/patches/engine.ts';
import { runChild } from './child.ts';
import { git, snapshot } from './git-tree.ts';
import { makeSample, options } from './sample.ts';

/** What the engine tells of, in order, when it patches the sample. */
const applying = [
  ...['tried 0001-one.patch', 'tried 0002-one-and-two.patch', 'tried 0003-run.patch', 'tried 0004-new.patch'],
  ...['the patched files are ready', 'the journal is written'],
  ...['wrote pkg/one.py', 'wrote pkg/deep/two.py', 'wrote run.sh', 'wrote pkg/extra/new.py'],
  ...['wrote apex/__init__.py', 'wrote apex/optimizers/__init__.py'],
  ...['the record is written', 'the journal is removed'],
];
const reverting = [
  ...['the patched files are ready', 'the journal is written'],
  ...['wrote pkg/one.py', 'wrote pkg/deep/two.py', 'wrote run.sh', 'removed pkg/extra/new.py'],
  ...['removed apex/__init__.py', 'removed apex/optimizers/__init__.py'],
  ...['the record is written', 'the journal is removed'],
];

const revert = (tree: string) => revertTree(tree, { ...options(), isDryRun: false });

/** The first and last kind of each state: with the kill after every single step the test would take minutes. */
const points = (steps: readonly string[], wanted: readonly string[]) =>
  wanted.map((line) => ({ line, stopAfter: steps.indexOf(line) + 1 }));

describe('kill -9 in the middle', () => {
  it('the steps are those that the tests below kill at', async () => {
    const { tree, request } = await makeSample();
    const told: string[] = [];
    await applyToTree(
      tree,
      request,
      options((line) => told.push(line)),
    );
    expect(told).toEqual(applying);
    told.length = 0;
    await revertTree(tree, { ...options((line) => told.push(line)), isDryRun: false });
    expect(told).toEqual(reverting);
  });

  it.concurrent.each(
    points(applying, [
      ...['tried 0002-one-and-two.patch', 'the patched files are ready', 'the journal is written'],
      ...['wrote pkg/deep/two.py', 'wrote apex/optimizers/__init__.py'],
      ...['the record is written', 'the journal is removed'],
    ]),
  )('of an application, after: $line', async ({ line, stopAfter }) => {
    const made = await makeSample();
    const { tree, home, seriesFolder, request, before, after } = made;
    const end = await runChild({ tree, seriesFolder, facts: request.facts, stopAfter });
    expect(end).toMatchObject({ signal: 'SIGKILL', failure: null });
    expect(end.told.slice(-2)).toEqual([line, 'stopped']);
    // The kill came where it should: untouched, half, or done.
    const written = end.told.filter((each) => each.startsWith('wrote')).length;
    if (written === 0) expect(snapshot(tree)).toEqual(before);
    else if (written === 6) expect(snapshot(tree)).toEqual(after);
    else {
      expect(snapshot(tree)).not.toEqual(before);
      expect(snapshot(tree)).not.toEqual(after);
    }
    const told: string[] = [];
    await applyToTree(
      tree,
      request,
      options((each) => told.push(each)),
    );
    expect(snapshot(tree)).toEqual(after);
    // Completed from the journal, not begun anew.
    if (end.told.includes('the journal is written')) expect(told).not.toContain('the journal is written');
    expect(readdirSync(`${home}/.megatron.patches`)).toHaveLength(2);
    expect(readdirSync(home).sort()).toEqual(['.megatron.patches', 'megatron']);
    await revert(tree);
    expect(snapshot(tree)).toEqual(before);
    expect(git(tree, 'status', '--porcelain', '--ignored')).toBe('');
    expect(readdirSync(home)).toEqual(['megatron']);
  });

  it.concurrent.each(
    points(reverting, [
      'the journal is written',
      'wrote run.sh',
      'removed apex/__init__.py',
      'the record is written',
    ]),
  )('of a revert, after: $line', async ({ line, stopAfter }) => {
    const { tree, home, seriesFolder, request, before } = await makeSample();
    await applyToTree(tree, request, options());
    const end = await runChild({ tree, seriesFolder, facts: request.facts, action: 'revert', stopAfter });
    expect(end.told.slice(-2)).toEqual([line, 'stopped']);
    await revert(tree);
    expect(snapshot(tree)).toEqual(before);
    expect(readdirSync(home)).toEqual(['megatron']);
  });

  it.concurrent(
    'of an application, then the user changes a file: the rest is undone, and the file is named',
    async () => {
      const { tree, home, seriesFolder, request, before } = await makeSample();
      const stopAfter = applying.indexOf('wrote pkg/one.py') + 1;
      await runChild({ tree, seriesFolder, facts: request.facts, stopAfter });
      writeFileSync(`${tree}/run.sh`, 'mine\n');
      await expect(applyToTree(tree, request, options())).rejects.toThrow(/run\.sh: 0003-run\.patch expects/);
      expect(git(tree, 'status', '--porcelain').trim()).toBe('M run.sh');
      git(tree, 'checkout', '-q', '--', 'run.sh');
      expect(snapshot(tree)).toEqual(before);
      expect(readdirSync(home)).toEqual(['megatron']);
    },
  );
});
