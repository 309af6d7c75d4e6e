import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { stackPaths } from '../../../src/adapters/stack/store.ts';
import { installText } from '../../../src/cli/text/install.ts';
import { artifactVariables } from '../../../src/core/upstreams/choice.ts';
import { describeStep } from '../../../src/core/install/steps.ts';
import {
  installStack,
  type InstallOptions,
  type InstallReport,
} from '../../../src/workflows/install/install.ts';
import { context, newHome, options } from './context.ts';

/* What an install of upstreams would do, and what it refuses. Nothing is fetched: a dry run changes nothing. */

const unset = Object.fromEntries(
  Object.values(artifactVariables).flatMap((names) => names.map((name) => [name, undefined])),
);
/** No GPU and no toolkit, whatever machine this is. */
const env = { ...process.env, ...unset, DS_ACCELERATOR: 'cpu', CUDA_HOME: '/nowhere' };
const home = realpathSync(newHome());
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

async function dryRun(change: Partial<InstallOptions>, variables: Record<string, string> = {}) {
  const { ctx, events } = context(home, { ...env, ...variables });
  const report = await installStack(ctx, { ...options, overlay: true, dryRun: true, ...change });
  const notes = events.flatMap((event) => (event.type === 'note' ? [event.message] : []));
  return { report, notes, ids: report.steps.map(({ id }) => id) };
}

const stepOf = ({ steps }: InstallReport, id: string) => describeStep(steps.find((step) => step.id === id)!);

async function refusal(change: Partial<InstallOptions>, variables: Record<string, string> = {}) {
  const error: unknown = await dryRun(change, variables).catch((caught: unknown) => caught);
  return error as Error & { code?: string; hint?: string };
}

describe('the plan of an install from sources', { timeout: 600_000 }, () => {
  it('--stack fork: DeepSpeed editable from its work tree, before all other packages; then Megatron', async () => {
    const { report, ids } = await dryRun({ stack: 'fork', ops: ['cpu_adam'] });
    const order = ['venv', 'overlay', 'source-deepspeed', 'patch-deepspeed', 'editable-deepspeed'];
    const megatron = ['extra-requirements', 'extra-packages', 'source-megatron', 'patch-megatron'];
    const all = [...order, ...megatron, 'ops', 'verify', 'imports'];
    expect(ids.filter((id) => all.includes(id))).toEqual(all);
    const { sources } = stackPaths(home, 'fork');
    expect(stepOf(report, 'editable-deepspeed')).toMatch(
      /^DS_BUILD_OPS=0 .* --no-deps --no-build-isolation -e .*\/stacks\/fork\/src\/deepspeed$/,
    );
    expect(stepOf(report, 'source-deepspeed')).toContain(
      'https://github.com/Supercomputing-System-AI-Lab/DeepSpeed.git superoffload',
    );
    const overlay = report.steps.find(({ id }) => id === 'overlay');
    expect(overlay?.kind === 'write' && overlay.text.split('\n')[0]).toBe(join(sources, 'deepspeed'));
    expect(report.steps.find(({ id }) => id === 'imports')).toMatchObject({ cwd: join(sources, 'megatron') });
    expect(installText(report)).toContain('apply patches/megatron in');
    expect(existsSync(sources)).toBe(false);
  });

  it('--with megatron: pinned, its packages by hash, and DeepSpeed is not ours where the Python has one', async () => {
    const { report, ids, notes } = await dryRun({ with: ['megatron'] });
    expect(ids).not.toContain('source-deepspeed');
    expect(ids).not.toContain('patch-deepspeed');
    expect(stepOf(report, 'source-megatron')).toContain('f2c70ad9db2fa8a210f17086ee9c201541e6d539');
    expect(stepOf(report, 'extra-packages')).toMatch(/--no-deps --require-hashes$/);
    const written = report.steps.find(({ id }) => id === 'extra-requirements');
    const lines = written?.kind === 'write' ? written.text.split('\n').filter((line) => /==/.test(line)) : [];
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.join()).toMatch(/transformers==/);
    // What the Python has already is not installed a second time.
    expect(lines.join()).not.toMatch(/(^|,)(torch|numpy|einops)==/);
    const hashes = written?.kind === 'write' ? written.text.match(/--hash=sha256:[0-9a-f]{64}/g) : null;
    expect(hashes?.length ?? 0).toBeGreaterThanOrEqual(lines.length);
    expect(notes).toEqual([]);
  });

  it('takes the folders that the artifact names by its variables, and says so; a flag beats them', async () => {
    const variables = { MEGATRON_DIR: '/m/Megatron-DeepSpeed/', DEEPSPEED_DIR: '/m/DeepSpeed' };
    const { report, notes } = await dryRun({ stack: 'fork' }, variables);
    expect(stepOf(report, 'source-megatron')).toContain('-- /m/Megatron-DeepSpeed ');
    expect(stepOf(report, 'source-deepspeed')).toContain('-- /m/DeepSpeed ');
    expect(notes).toEqual([
      'deepspeed: from DEEPSPEED_DIR=/m/DeepSpeed',
      'megatron: from MEGATRON_DIR=/m/Megatron-DeepSpeed',
    ]);
    const flags = { stack: 'fork', sources: ['megatron=/mine'], refs: ['megatron=dev'] };
    const given = await dryRun(flags, variables);
    expect(stepOf(given.report, 'source-megatron')).toContain('-- /mine dev');
    expect(given.notes).toHaveLength(1);
  });

  it('refuses what is wrong with the flags, all at once, without showing a password', async () => {
    const error = await refusal({
      ...{ stack: 'fork', overlay: false, deepspeed: '0.19.8', with: ['nccl'] },
      sources: ['megatrn=/x', 'apex=ext::sh -c id', 'https://me:secret@host/x'],
      refs: ['deepspeed=a..b'],
    });
    expect(error.code).toBe('usage');
    const faults = [
      '--deepspeed',
      '--python',
      '--with',
      'there is no upstream "megatrn" (expected megatron)',
      '--source apex',
      '--ref deepspeed',
    ];
    for (const place of faults) expect(error.message).toContain(place);
    expect(error.message).not.toContain('secret');
    const unasked = await refusal({ sources: ['megatron=/x'] });
    expect(unasked.message).toMatch(/--source megatron.*nothing is taken from megatron here/);
    const disagree = await refusal({ stack: 'fork' }, { MEGATRON_DIR: '/a', MEGATRON_DEEPSPEED_DIR: '/b' });
    expect(disagree).toMatchObject({ code: 'usage' });
    expect(disagree.message).toMatch(/disagree: .*\/b.*\/a/);
  });

  it('--apex build without a GPU or a toolkit is refused before anything is fetched', async () => {
    const error = await refusal({ with: ['megatron'], apex: 'build', dryRun: false });
    expect(error.code).toBe('environment');
    expect(error.hint).toMatch(/leave --apex out/);
    expect(existsSync(stackPaths(home, 'pip').lock)).toBe(false);
    expect(existsSync(stackPaths(home, 'pip').sources)).toBe(false);
  });

  it("an adopted Python without Megatron's packages is told which, and the command that adds them", async () => {
    const error = await refusal({ overlay: false, with: ['megatron'] });
    expect(error).toMatchObject({ code: 'install' });
    expect(error.message).toMatch(/lacks .*transformers \(5/);
    expect(error.hint).toContain('--overlay --with megatron');
  });
});

describe('a stack that is there already', { timeout: 600_000 }, () => {
  const folder = join(home, 'again');
  const source = join(home, 'mine');

  /** The lock that an install from the user's own repository leaves, as far as the next install reads it. */
  function installed(): void {
    mkdirSync(source);
    execFileSync('git', ['-C', source, 'init', '-q', '-b', 'main']);
    const paths = stackPaths(folder, 'pip');
    mkdirSync(paths.ops, { recursive: true });
    const request = {
      ...{
        torch: null,
        deepspeed: null,
        python: options.python,
        overlay: true,
        megatron: true,
        apex: 'auto',
      },
      ...{ sources: { megatron: source }, refs: { megatron: 'dev' } },
    };
    const lock = {
      ...{ schemaVersion: 2, name: 'pip', origin: 'overlay', accelerator: 'cpu', hash: 'abc', request },
      ...{ python: { path: options.python, version: '3.11.7' }, torch: { version: '2.15.0', cuda: null } },
      ...{ deepspeed: { version: '0.19.8' }, packages: {}, pathPrefix: [], environment: {}, apex: null },
      ops: { directory: paths.ops, key: 'k', compiler: 'c++', ninja: '1' },
      upstreams: {
        megatron: { url: source, ref: 'dev', commit: 'f'.repeat(40), directory: '/m', patches: null },
      },
    };
    writeFileSync(paths.lock, JSON.stringify(lock));
  }
  const again = async () => {
    const { ctx, events } = context(folder, env);
    const all = { ...options, overlay: true, dryRun: true, reinstall: true };
    const report = await installStack(ctx, all);
    return { report, notes: events.flatMap((event) => (event.type === 'note' ? [event.message] : [])) };
  };

  it('--reinstall takes what it was installed from, and says so', async () => {
    installed();
    const same = await again();
    expect(stepOf(same.report, 'source-megatron')).toContain(`-- ${source} dev`);
    expect(same.notes).toEqual([
      `megatron: from ${source} at dev, as this stack was installed (--source and --ref say otherwise)`,
    ]);
  });
});
