import { Command } from '@commander-js/extra-typings';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { declare } from '../../../src/cli/commands/stacks.ts';
import { append, changeOneByte, touch, write } from '../../adapters/stack/small-stack.ts';
import { ctx, stack } from '../../workflows/stacks/context.ts';

/** Runs the verb as the program does, with its output and exit code kept. */
async function stacks(...argv: string[]): Promise<{ readonly text: string; readonly code: number }> {
  const found = { text: '', code: 0 };
  const command = new Command('stacks').exitOverride().configureOutput({
    writeOut: (text) => void (found.text += text),
  });
  declare(command, {
    context: ctx,
    print: (text) => void (found.text += `${text}\n`),
    exitWith: (code) => void (found.code = code),
  });
  await command.parseAsync(argv, { from: 'user' }).catch((error: unknown) => {
    if ((error as { code?: string }).code !== 'commander.helpDisplayed') throw error;
  });
  return found;
}
const training = (): string => join(stack.tree, 'megatron/training.py');

describe('superoffload stacks', () => {
  it('list: one line a stack, with its upstreams, and below what is wrong', async () => {
    const { text } = await stacks('list');
    expect(text).toMatch(/^stack +state +origin +python +torch +DeepSpeed +on +upstreams +apex\n/);
    expect(text).toMatch(
      /pip +ready +private +3\.11\.7 +2\.15\.0 +0\.19\.8 +cpu +deepspeed: version 0\.19\.8, 1 patch/,
    );
    expect(text).toMatch(/megatron: commit [0-9a-f]{12}, 1 patch +overlay|overlay\n +megatron: commit/);
    append(training(), '#\n');
    expect((await stacks('list', '--size')).text).toMatch(
      /GB\n[^]*changed[^]*pip: megatron\/megatron\/training\.py: /,
    );
    const [listing] = JSON.parse((await stacks('list', '--json')).text) as { state: string }[];
    expect(listing?.state).toBe('changed');
  });

  it('show: groups of facts', async () => {
    const { text } = await stacks('show');
    for (const line of [
      /^stack pip: ready$/m,
      /^upstreams$/m,
      /^ops$/m,
      /^packages$/m,
      / megatron ref +superoffload$/m,
    ]) {
      expect(text).toMatch(line);
    }
  });

  it('verify: exit 3 and the file with both digests for one byte that stat does not show', async () => {
    expect(await stacks('verify')).toMatchObject({
      code: 0,
      text: expect.stringMatching(
        /^stack pip is as it was installed \(lock bbbbbbbbbbbb\): \d+ files/,
      ) as string,
    });
    changeOneByte(training());
    const { code, text } = await stacks('verify', 'pip');
    expect(code).toBe(3);
    expect(text).toMatch(/^stack pip is not as it was installed: 1 difference \(/);
    expect(text).toMatch(
      / {2}megatron\/megatron\/training\.py: sha256=[\w-]{43} \(expected sha256=[\w-]{43}\)/,
    );
  });

  it('verify: a touched file is no difference', async () => {
    touch(training());
    const { code, text } = await stacks('verify');
    expect(code).toBe(0);
    expect(text).toMatch(
      /of 1 file only time or mode changed, the content is the same[^]*knows the new times now/,
    );
  });

  it('verify --help says what the quick check does not find', async () => {
    const { text } = await stacks('verify', '--help');
    expect(text).toMatch(/It does not find a change\nthat keeps the size and restores the time/);
  });

  it('diff: nothing between a stack and itself', async () => {
    expect((await stacks('diff', 'pip', 'pip')).text).toBe('pip and pip: no difference\n');
  });

  it('rm: --dry-run names it, and then it goes', async () => {
    write(join(stack.home, 'stacks', 'half', 'install.log'), '');
    expect((await stacks('rm', 'pip', 'half', '--dry-run')).text).toBe(
      'would remove pip\nwould remove half\n',
    );
    expect(existsSync(stack.directory)).toBe(true);
    expect(JSON.parse((await stacks('rm', 'pip', 'half', '--json')).text)).toEqual({
      dryRun: false,
      names: ['pip', 'half'],
    });
    expect((await stacks('list')).text).toBe('no stacks yet; start with: superoffload install\n');
  });
});
