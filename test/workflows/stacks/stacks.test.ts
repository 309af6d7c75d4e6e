import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { appendEvent, createRunFolder, writePlan } from '../../../src/adapters/run-store.ts';
import { thisPlace } from '../../../src/adapters/place.ts';
import { startTicks } from '../../../src/adapters/processes.ts';
import { tryMutex } from '../../../src/adapters/stack/mutex.ts';
import { stackReference } from '../../../src/core/plan/stack-reference.ts';
import { removeStacks, stacksToRemove } from '../../../src/workflows/stacks/remove-stacks.ts';
import { diffStacks, listStacks, showStack } from '../../../src/workflows/stacks/stacks.ts';
import { append, write, writeLock } from '../../adapters/stack/small-stack.ts';
import { samplePlan } from '../../core/sample-plan.ts';
import { ctx, stack } from './context.ts';

const training = (): string => join(stack.tree, 'megatron/training.py');

describe('stacks list and show', () => {
  const other = (name: string): string => join(stack.home, 'stacks', name);
  const copy = (name: string, change: object): void => {
    mkdirSync(other(name));
    writeLock(other(name), { ...stack.lock, name, ...change });
  };

  it('says of every folder whether it can be used here, and why not', async () => {
    copy('elsewhere', { ops: { ...stack.lock.ops, key: 'key-of-another-cpu' } });
    copy('gpu', { accelerator: 'cuda' });
    mkdirSync(other('half'));
    write(join(other('cut'), 'lock.json'), '{"schemaVersion": 2');
    mkdirSync(other('.removed-x'));
    const mutex = await tryMutex(join(other('busy'), 'install.lock'));
    append(training(), '# more\n');
    const found = await listStacks(ctx, { size: false });
    if ('release' in mutex) await mutex.release();
    expect(Object.fromEntries(found.map(({ name, state }) => [name, state]))).toEqual({
      ...{ busy: 'installing', cut: 'damaged', elsewhere: 'for another machine' },
      ...{ gpu: 'for another machine', half: 'not ready', pip: 'changed' },
    });
    expect(found.every(({ problem, bytes }) => problem !== null && bytes === null)).toBe(true);
  });

  it('measures the folder when asked to, and shows every fact of the lock', async () => {
    const { state, bytes, facts, upstreams } = await showStack(ctx, 'pip', { size: true });
    expect(state).toBe('ready');
    expect(bytes).toBeGreaterThan(10_000);
    expect(upstreams['megatron']).toMatch(/^commit [0-9a-f]{12}, 1 patch$/);
    const text = facts.map(({ name, value }) => `${name}: ${value}`).join('\n');
    expect(text).toContain(`megatron commit: ${stack.lock.upstreams.megatron?.commit ?? ''}`);
    expect(text).toContain('megatron patch 0001-steps.patch: applied, ddd');
    expect(text).toContain(`path: ${stack.lock.python.path}`);
    expect(text).toContain('flags of cpu_adam: -O3');
  });
});

describe('stacks rm', () => {
  const remove = async (force = false): Promise<string[]> => stacksToRemove(ctx, ['pip'], { force });
  const startRun = async (place = thisPlace()): Promise<void> => {
    const folder = await createRunFolder(stack.home, 'case', Date.now());
    const utc = new Date().toISOString();
    const tool = { toolPid: process.pid, toolStartTicks: startTicks(process.pid) };
    appendEvent(folder, { type: 'starting', utc, place, ...tool });
    await writePlan(folder, { ...samplePlan(), stack: stackReference(stack.lock) }, {});
  };

  it('removes it whole, with what an earlier removal left behind', async () => {
    const left = join(stack.home, 'stacks', '.removed-old-1234');
    mkdirSync(left);
    expect(await remove()).toEqual(['pip']);
    expect(existsSync(stack.directory)).toBe(true);
    await removeStacks(ctx, ['pip']);
    expect([stack.directory, left].map(existsSync)).toEqual([false, false]);
    expect(await listStacks(ctx, { size: false })).toEqual([]);
  });

  it('keeps one that an install holds', async () => {
    const mutex = await tryMutex(join(stack.directory, 'install.lock'));
    await expect(remove(true)).rejects.toMatchObject({
      message: expect.stringContaining('installing') as string,
    });
    if ('release' in mutex) await mutex.release();
    expect(await remove()).toEqual(['pip']);
  });

  it('keeps one that a run uses, and with --force only ignores runs that nobody here can see', async () => {
    await startRun();
    await expect(remove(true)).rejects.toMatchObject({ code: 'environment' });
    rmSync(join(stack.home, 'runs'), { recursive: true });
    await startRun({ ...thisPlace(), boot: 'another', machine: 'another' });
    await expect(remove()).rejects.toMatchObject({ hint: expect.stringContaining('--force') as string });
    expect(await remove(true)).toEqual(['pip']);
  });

  it.each(['..', '../stacks/pip', '', 'nothing'])('knows no stack %j', async (name) => {
    await expect(stacksToRemove(ctx, ['pip', name], { force: true })).rejects.toMatchObject({
      code: 'usage',
    });
    expect(existsSync(stack.directory)).toBe(true);
  });
});

describe('stacks diff', () => {
  it('shows versions, packages, commits, patches, flags and variables, and no paths of the folders', async () => {
    const directory = join(stack.home, 'stacks', 'fork');
    const moved = JSON.parse(
      JSON.stringify(stack.lock).replaceAll(stack.directory, directory),
    ) as typeof stack.lock;
    const { megatron } = moved.upstreams;
    mkdirSync(join(directory, 'ops', 'key'), { recursive: true });
    mkdirSync(join(directory, 'venv', 'bin'), { recursive: true });
    for (const path of [moved.python.path, join(moved.ops.directory, 'x')]) write(path, '');
    const same = { ...moved, name: 'fork' };
    writeLock(directory, same);
    expect((await diffStacks(ctx, 'pip', 'fork')).differences).toEqual([]);
    writeFileSync(
      join(directory, 'lock.json'),
      JSON.stringify({
        ...same,
        packages: { alpha: '1.1', gamma: '3' },
        ops: { ...moved.ops, flags: { cpu_adam: '-O2' } },
        environment: { ...moved.environment, CXX: 'g++', MAX_JOBS: '4' },
        upstreams: { ...moved.upstreams, megatron: { ...megatron, commit: '1'.repeat(40), patches: null } },
      }),
    );
    const { differences } = await diffStacks(ctx, 'pip', 'fork');
    expect(differences.map(({ name, a, b }) => [name, a, b])).toEqual([
      ['megatron commit', megatron?.commit, '1'.repeat(40)],
      ['megatron series', 'a'.repeat(64), null],
      ['megatron patch 0001-steps.patch', `applied, ${'d'.repeat(64)}`, null],
      ['flags of cpu_adam', '-O3', '-O2'],
      ['CXX', null, 'g++'],
      ['alpha', '1.0', '1.1'],
      ['deep-speed', '0.19.8', null],
      ['gamma', null, '3'],
    ]);
    await expect(diffStacks(ctx, 'pip', 'nothing')).rejects.toMatchObject({ code: 'usage' });
  });
});
