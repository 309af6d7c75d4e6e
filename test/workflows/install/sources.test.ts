import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadStack, stackPaths } from '../../../src/adapters/stack/store.ts';
import { stackEnvironment } from '../../../src/core/stack/environment.ts';
import type { StackLock } from '../../../src/core/stack/lock.ts';
import { installStack, type InstallOptions } from '../../../src/workflows/install/install.ts';
import { installedDeepspeed } from '../../../src/workflows/stacks/installed-deepspeed.ts';
import { verifyStack } from '../../../src/workflows/stacks/verify-stack.ts';
import { upstreamSource } from '../../patches/sources.ts';
import { sharedHome } from '../../real-stack.ts';
import { context, newHome, options, packageRoot } from './context.ts';

/*
 * Both stacks with sources, side by side, over the packages of the shared stack; then Megatron trains. The fork's
 * DeepSpeed is whatever repository stands in the folder: what is tested is where Python imports it from.
 */
const found = ['deepspeed', 'megatron', 'apex'].map(upstreamSource);
const missing = found.flatMap((each) => ('missing' in each ? [each.missing] : []));
const [deepspeed = '', megatron = '', apex = ''] = found.map((each) => ('path' in each ? each.path : ''));

describe.skipIf(missing.length > 0)(`sources (skipped: ${missing[0] ?? 'not'})`, { timeout: 600_000 }, () => {
  const home = realpathSync(newHome());
  const mirror = join(home, 'mirror/deepspeed');
  const megatronFlag = `megatron=${megatron}`;
  const env = { ...process.env, DS_ACCELERATOR: 'cpu' };
  const base = { ...options, overlay: true };
  const fork: InstallOptions = {
    ...{ ...base, stack: 'fork' },
    sources: [`deepspeed=${mirror}`, megatronFlag, `apex=${apex}`],
  };
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', mirror, ...args], { encoding: 'utf8' }).trim();
  const install = async (change: InstallOptions) => {
    const { ctx, events } = context(home, env);
    const { state, lock } = await installStack(ctx, change);
    return { state, lock: lock!, notes: events.flatMap((e) => (e.type === 'note' ? [e.message] : [])) };
  };
  const importedFrom = (lock: StackLock, module: string, cwd = '/'): string =>
    execFileSync(lock.python.path, ['-c', `import ${module}; print(${module}.__file__)`], {
      ...{ cwd, encoding: 'utf8', env: stackEnvironment(lock, env) },
    })
      .trim()
      .split('\n')
      .at(-1)!;

  beforeAll(() => {
    mkdirSync(join(home, 'mirror'));
    execFileSync('git', ['clone', '-q', '--bare', '--branch', 'superoffload', deepspeed, mirror]);
    // A second branch, of another version.
    const blob = execFileSync('git', ['-C', mirror, 'hash-object', '-w', '--stdin'], { input: '0.19.90\n' });
    git('read-tree', 'superoffload');
    git('update-index', '--cacheinfo', `100644,${blob.toString().trim()},version.txt`);
    const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.org'];
    const later = git(...identity, 'commit-tree', git('write-tree'), '-p', 'superoffload', '-m', 'later');
    git('update-ref', 'refs/heads/later', later);
  });
  afterAll(() => {
    rmSync(home, { recursive: true, force: true });
  });

  it('--stack fork: DeepSpeed from its work tree although the Python has another, Megatron patched', async () => {
    const { lock } = await install(fork);
    const { sources } = stackPaths(home, 'fork');
    expect(importedFrom(lock, 'deepspeed')).toBe(join(sources, 'deepspeed/deepspeed/__init__.py'));
    expect(importedFrom(lock, 'pretrain_gpt', join(sources, 'megatron'))).toBe(
      join(sources, 'megatron/pretrain_gpt.py'),
    );
    expect(lock.upstreams).toMatchObject({
      deepspeed: {
        ...{ url: mirror, ref: 'superoffload', commit: git('rev-parse', 'superoffload'), version: null },
        ...{ directory: join(sources, 'deepspeed'), dirtyDiffSha256: null, patches: null },
        tree: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      },
      megatron: {
        ...{ url: realpathSync(megatron), commit: 'f2c70ad9db2fa8a210f17086ee9c201541e6d539' },
        patches: { skipped: [], applied: expect.arrayContaining([expect.anything()]) as unknown[] },
      },
    });
    expect(lock.upstreams.apex).toBeUndefined();
    expect(lock).toMatchObject({
      apex: { kind: 'overlay' },
      deepspeed: { version: lock.packages['deepspeed'] },
    });
    // What its own source says, not what its version would mean.
    const hasKey = readFileSync(
      join(sources, 'deepspeed/deepspeed/runtime/zero/offload_config.py'),
      'utf8',
    ).includes('super_offload:');
    expect(await installedDeepspeed(context(home, env).ctx, 'fork')).toEqual({
      ...{ deepspeedVersion: lock.deepspeed.version, superOffload: hasKey ? 'key' : 'implied' },
    });
  });

  it('a second call has nothing to do, with the flags and without; one byte of Megatron is found', async () => {
    expect((await install(fork)).state).toBe('ready');
    const again = await install({ ...fork, sources: [] });
    expect(again.state).toBe('ready');
    expect(again.notes).toContain(
      `deepspeed: from ${mirror}, as this stack was installed (--source and --ref say otherwise)`,
    );
    const file = join(stackPaths(home, 'fork').sources, 'megatron/megatron/model/transformer.py');
    const { atime, mtime } = statSync(file);
    const text = readFileSync(file, 'utf8');
    const verify = () => verifyStack(context(home, env).ctx, 'fork', { dryRun: false });
    expect((await verify()).drifts).toEqual([]);
    writeFileSync(file, text.replace('#', '!'));
    utimesSync(file, atime, mtime);
    expect(JSON.stringify((await verify()).drifts)).toContain('megatron/model/transformer.py');
    writeFileSync(file, text);
    utimesSync(file, atime, mtime);
  });

  it('another --ref is fetched and imported; what was in place is not installed again', async () => {
    const { state, lock } = await install({ ...fork, refs: ['deepspeed=later'] });
    expect(state).toBe('installed');
    expect(lock.upstreams.deepspeed).toMatchObject({ ref: 'later', commit: git('rev-parse', 'later') });
    expect(lock.deepspeed.version).toMatch(/^0\.19\.90/);
    const log = readFileSync(stackPaths(home, 'fork').installLog, 'utf8');
    expect(log).not.toMatch(/^\$ .*( venv |megatron-requirements)/m);
    const packages = readdirSync(join(stackPaths(home, 'fork').venv, 'lib')).flatMap((python) =>
      readdirSync(join(stackPaths(home, 'fork').venv, 'lib', python, 'site-packages')),
    );
    expect(packages.filter((name) => /^deepspeed-.*dist-info$/.test(name))).toHaveLength(1);
  });

  describe('--stack pip --with megatron', () => {
    const main = join(packageRoot, 'src/main.ts');
    const tool = (...args: string[]) =>
      execFileSync(process.execPath, ['--import', 'tsx', main, ...args], {
        ...{ cwd: packageRoot, encoding: 'utf8', env: { ...env, SUPEROFFLOAD_HOME: home } },
      });
    const train = (...flags: string[]) => {
      const words = ['throughput', '--stack', 'pip', '--workload', 'megatron', '--model', 'tiny', '--json'];
      const all = [...words, '--mode', 'zero_offload', '--steps', '4', ...flags];
      return (JSON.parse(tool(...all)) as { records: Record<string, unknown>[] }).records;
    };

    it('stands beside the fork, and trains on one rank and on two that share each sequence', async () => {
      const pip = { ...base, with: ['megatron'], sources: [megatronFlag, `apex=${apex}`] };
      // The ops of the shared stack are of the same sources, flags and tools: with their times kept, nothing is compiled.
      const shared = (await loadStack(sharedHome, 'pip'))!;
      const key = shared.ops.key.replace(/^torch[^-]+/, `torch${shared.torch.version}`);
      const ops = join(stackPaths(home, 'pip').ops, key);
      mkdirSync(ops, { recursive: true });
      execFileSync('cp', ['-a', `${shared.ops.directory}/.`, ops]);
      const { lock } = await install({ ...pip, ops: ['cpu_adam', 'deepspeed_shm_comm'] });
      expect(lock.ops.directory).toBe(ops);
      expect(lock.upstreams).not.toHaveProperty('deepspeed');
      expect(importedFrom(lock, 'deepspeed')).not.toContain(home);
      expect((await loadStack(home, 'fork'))?.upstreams.deepspeed?.ref).toBe('later');
      const ok = { outcome: { class: 'ok' }, lastIteration: 4 };
      expect(train()).toMatchObject([{ ...ok, worldSize: 1 }]);
      const two = train('--chips', '2', '--sequence-parallel', '2');
      expect(two).toMatchObject([{ ...ok, worldSize: 2, case: { sequenceParallel: 2 } }]);
      expect(existsSync(stackPaths(home, 'fork').lock)).toBe(true);
    });
  });
});
