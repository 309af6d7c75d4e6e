import { Command } from '@commander-js/extra-typings';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach } from 'vitest';
import { takeManifest } from '../../../src/adapters/stack/manifest.ts';
import { loadStack } from '../../../src/adapters/stack/store.ts';
import { declare } from '../../../src/cli/commands/patch.ts';
import type { StackLock } from '../../../src/core/stack/lock.ts';
import type { Context } from '../../../src/workflows/context.ts';
import { git, newFolder, read, write } from '../../adapters/patches/git-tree.ts';
import { makeSample, makeSeries, replaceLine } from '../../adapters/patches/sample.ts';
import type { Sample } from '../../adapters/patches/sample.ts';
import { writeLock } from '../../adapters/stack/small-stack.ts';
import { ctx as smallContext, stack } from '../stacks/context.ts';

export let ctx: Context;
export let made: Sample;
export let tree: string;

/** A stack with a repository and a package of the index, both unpatched, and series for both. */
beforeEach(async () => {
  made = await makeSample();
  tree = stack.tree;
  rmSync(tree, { recursive: true });
  cpSync(made.tree, tree, { recursive: true });
  const packageRoot = newFolder();
  cpSync(made.seriesFolder, join(packageRoot, 'patches/megatron'), { recursive: true });
  const published = newFolder();
  const builder = 'deepspeed/builder.py';
  git(published, 'init', '-q');
  write(published, builder, "arch = '10.0'\n");
  git(published, 'add', '-A');
  git(published, 'commit', '-q', '-m', 'published');
  write(stack.site, builder, read(published, builder));
  const folder = join(packageRoot, 'patches/deepspeed');
  const edit = replaceLine(builder, "arch = '10.0'", "arch = '10.0a'");
  makeSeries(folder, published, { edits: [{ name: '0001-arch.patch', edit }], overlay: {} });
  const text = JSON.parse(read(folder, 'series.json')) as object;
  const series = { ...text, upstream: 'deepspeed', commits: undefined, versions: ['0.19.8'] };
  writeFileSync(join(folder, 'series.json'), JSON.stringify(series));
  const { deepspeed, megatron } = stack.lock.upstreams;
  const commit = made.series.commits?.[0] ?? '';
  writeLock(stack.directory, {
    ...stack.lock,
    upstreams: {
      deepspeed: { ...deepspeed, patches: null },
      megatron: { ...megatron, commit, patches: null },
    },
  });
  ctx = { ...smallContext, packageRoot };
  await takeManifest(await lockNow());
});

export async function lockNow(): Promise<StackLock> {
  const lock = await loadStack(ctx.home, 'pip');
  if (lock === undefined) throw new Error('the stack is gone');
  return lock;
}

/** The verb, as a user types it. */
export async function patch(...args: string[]): Promise<{ text: string; code: number }> {
  const printed: string[] = [];
  let code = 0;
  const command = new Command('patch').exitOverride();
  declare(command, {
    context: ctx,
    print: (text) => void printed.push(text),
    exitWith: (given) => {
      code = given;
    },
  });
  await command.parseAsync(args, { from: 'user' });
  return { text: printed.join('\n'), code };
}
