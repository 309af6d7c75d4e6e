import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRunFolder, writePlan, writeRecord } from '../../../src/adapters/run-store.ts';
import { takeManifest } from '../../../src/adapters/stack/manifest.ts';
import { tryMutex } from '../../../src/adapters/stack/mutex.ts';
import { listStacks, stackPaths } from '../../../src/adapters/stack/store.ts';
import { stackReference } from '../../../src/core/plan/stack-reference.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import { resolveMachine } from '../../../src/workflows/machine.ts';
import { replayPlan } from '../../../src/workflows/runs/runs.ts';
import { diffStacks } from '../../../src/workflows/stacks/stacks.ts';
import { usableStack } from '../../../src/workflows/stacks/usable-stack.ts';
import { verifyStack } from '../../../src/workflows/stacks/verify-stack.ts';
import { append, changeOneByte, touch, write, writeLock } from '../../adapters/stack/small-stack.ts';
import { samplePlan } from '../../core/sample-plan.ts';
import { goodLog, recordOf } from '../../core/sample-record.ts';
import { ctx, events, stack } from './context.ts';

const training = (): string => join(stack.tree, 'megatron/training.py');
const use = async (allowDrift: boolean, dryRun = false) =>
  usableStack(ctx, { name: 'pip', dryRun, allowDrift }, await resolveMachine(ctx, 'local'));

describe('before a run', () => {
  it('a stack as it was installed is used without a word', async () => {
    const { stack: lock, notes, drift } = await use(false);
    expect({ hash: lock?.hash, notes, drift }).toEqual({ hash: stack.lock.hash, notes: [], drift: [] });
  });

  it('one that is not installed is not ready, and a name that no stack can have is a mistake', async () => {
    const machine = await resolveMachine(ctx, 'local');
    const wanted = { dryRun: false, allowDrift: false };
    const absent = usableStack(ctx, { ...wanted, name: 'fork' }, machine);
    await expect(absent).rejects.toMatchObject({ code: 'environment' });
    const misspelt = usableStack(ctx, { ...wanted, name: 'pipp' }, machine);
    await expect(misspelt).rejects.toMatchObject({ code: 'usage' });
  });

  it('a removed one is no stack, not even while its files go', async () => {
    cpSync(stack.directory, join(stack.directory, '../.removed-pip-00000000'), { recursive: true });
    expect(await listStacks(ctx.home)).toHaveLength(1);
  });

  it('a changed one is refused with the first 20 changes, a count, and the ways on', async () => {
    for (let index = 0; index < 25; index += 1) write(join(stack.tree, `stray_${index}.py`), '');
    const refused = await use(false).catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'environment' });
    const { message, hint } = refused as { message: string; hint: string };
    expect(message.split('\n')).toHaveLength(22);
    expect(message).toContain('megatron/stray_0.py: a file that no install put there');
    expect(message).toContain('... and 5 more');
    expect(hint).toContain('superoffload install --stack pip --reinstall');
    expect(hint).toContain('--allow-drift');
  });

  it('--allow-drift goes on, warns, and hands every change to the record', async () => {
    append(training(), '# more\n');
    const { drift } = await use(true);
    expect(drift).toEqual([expect.stringContaining('megatron/megatron/training.py: ')]);
    expect(events).toEqual([expect.objectContaining({ type: 'warning' })]);
    expect(stackReference(stack.lock, drift).drift).toEqual(drift);
  });

  it('a plan only mentions it', async () => {
    append(training(), '# more\n');
    const { notes } = await use(false, true);
    expect(notes.join('\n')).toMatch(/training\.py[^]*would be refused/);
  });

  it('a stack of an older version is used, with a note', async () => {
    rmSync(join(stack.directory, 'manifest.json'));
    const { notes, drift } = await use(false);
    expect(notes).toEqual([expect.stringContaining('has no manifest')]);
    expect(drift).toEqual([]);
  });

  it.each(['missing', 'damaged'])(
    'one whose manifest is %s is refused: no change could be seen',
    async (how) => {
      const runtime = { nccl: null, cudnn: null, driver: null, cudaToolkit: null, kernel: '6.1' };
      writeLock(stack.directory, { ...stack.lock, runtime });
      const manifest = join(stack.directory, 'manifest.json');
      if (how === 'missing') rmSync(manifest);
      else write(manifest, '{"schemaVersion": 1, ');
      await expect(use(false)).rejects.toThrow(/manifest\.json: missing, or damaged/);
      const { drifts } = await verifyStack(ctx, 'pip', { dryRun: true });
      expect(drifts.map(({ place }) => place)).toContain('manifest.json');
    },
  );

  it('what Megatron compiles inside of a run is no change', async () => {
    const built = join(stack.tree, 'megatron/fused_kernels/build');
    write(join(built, 'scaled_softmax_cuda.so'), 'machine code');
    expect((await use(false)).drift).toEqual([]);
    await takeManifest(stack.lock);
    write(join(built, 'scaled_softmax_cuda.so'), 'of another GPU');
    expect((await use(false)).drift).toEqual([]);
    write(join(stack.tree, 'megatron/scaled_softmax_cuda.so'), 'machine code');
    await expect(use(false)).rejects.toThrow(/megatron\/scaled_softmax_cuda\.so: a file that no install/);
  });
});

describe('stacks verify', () => {
  it('says what differs, how much it read, and tells its progress', async () => {
    changeOneByte(training());
    const report = await verifyStack(ctx, 'pip', { dryRun: false });
    expect(report.drifts.map(({ place }) => place)).toEqual(['megatron/megatron/training.py']);
    expect(report.renewed).toBe(false);
    expect(report.bytes).toBeGreaterThan(10_000);
    expect(events.map((event) => event.type)).toContain('task');
  });

  it('lets the quick check know new times where only they differ', async () => {
    touch(training());
    await expect(use(false)).rejects.toMatchObject({ code: 'environment' });
    expect((await verifyStack(ctx, 'pip', { dryRun: true })).renewed).toBe(false);
    await expect(use(false)).rejects.toMatchObject({ code: 'environment' });
    const installing = await tryMutex(stackPaths(ctx.home, 'pip').mutex);
    expect((await verifyStack(ctx, 'pip', { dryRun: false })).renewed).toBe(false);
    if ('release' in installing) await installing.release();
    const report = await verifyStack(ctx, 'pip', { dryRun: false });
    expect(report).toMatchObject({ drifts: [], renewed: true, touched: ['megatron/megatron/training.py'] });
    expect((await use(false)).drift).toEqual([]);
    changeOneByte(training());
    expect((await verifyStack(ctx, 'pip', { dryRun: false })).drifts).toHaveLength(1);
  });

  it('wants a stack that is there and ready', async () => {
    await expect(verifyStack(ctx, 'pipp', { dryRun: false })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('did you mean pip?') as string,
    });
    rmSync(join(stack.directory, 'lock.json'));
    await expect(verifyStack(ctx, 'pip', { dryRun: false })).rejects.toMatchObject({ code: 'environment' });
  });
});

describe('a run and its stack', () => {
  const store = async (change: Partial<RunPlan> = {}): Promise<string> => {
    const plan = { ...samplePlan(), stack: stackReference(stack.lock), ...change };
    const folder = await createRunFolder(stack.home, plan.caseId, Date.now());
    await writePlan(folder, plan, {});
    await writeRecord(folder, recordOf(goodLog(), { plan, runId: folder.runId }));
    return folder.runId;
  };
  const replay = (runId: string, allowDrift = false): Promise<RunPlan> =>
    replayPlan(ctx, runId, { allowDrift, dryRun: false });

  it('is repeated on the same stack', async () => {
    const plan = await replay(await store());
    expect(plan.stack).toEqual(stackReference(stack.lock));
  });

  it('is not repeated on another one, and says what differs and how to get the old one back', async () => {
    const runId = await store();
    const { megatron } = stack.lock.upstreams;
    const now = { ...stack.lock.upstreams, megatron: { ...megatron, commit: '1'.repeat(40), patches: null } };
    const lock = {
      ...stack.lock,
      hash: '2'.repeat(64),
      torch: { version: '2.16.0', cuda: null },
      upstreams: now,
    };
    writeLock(stack.directory, lock);
    const error = await replay(runId).catch((thrown: unknown) => thrown as { message: string; hint: string });
    expect(error).toMatchObject({ code: 'environment' });
    const { message, hint } = error as { message: string; hint: string };
    const commit = megatron?.commit ?? '';
    expect(message).toContain('torch: now 2.16.0, then 2.15.0');
    expect(message).toContain(
      `megatron: now commit 111111111111, unpatched, then commit ${commit.slice(0, 12)}, 1 patch`,
    );
    expect(hint).toBe(
      'run: superoffload install --stack pip --with megatron --torch 2.15.0 --deepspeed 0.19.8 ' +
        `--ref megatron=${commit} --apex overlay --reinstall`,
    );
    const { kind, differences } = await diffStacks(ctx, runId, 'pip');
    expect(kind).toBe('run');
    expect(differences.map(({ name }) => name)).toEqual(['hash', 'torch', 'megatron']);
  });

  it('is not repeated on a stack that changed, unless that is allowed and recorded', async () => {
    const runId = await store();
    append(training(), '# more\n');
    await expect(replay(runId)).rejects.toMatchObject({ code: 'environment' });
    const plan = await replay(runId, true);
    expect(plan.stack?.drift).toEqual([expect.stringContaining('training.py')]);
    const changed = await store({ stack: plan.stack });
    expect((await replay(changed, true)).stack?.drift).toHaveLength(1);
    await takeManifest(stack.lock);
    await expect(replay(changed)).rejects.toMatchObject({
      message: expect.stringContaining('changes that are not there now') as string,
    });
  });
});
