import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { writeJsonAtomic } from '../../src/adapters/files.ts';
import { installMark, killLeftovers } from '../../src/adapters/stack/leftovers.ts';
import { tryMutex } from '../../src/adapters/stack/mutex.ts';
import { listStacks, loadStack, stackPaths } from '../../src/adapters/stack/store.ts';
import { exitCodeOf } from '../../src/errors.ts';

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'stack-'));
});

const mutexModule = new URL('../../src/adapters/stack/mutex.ts', import.meta.url).href;
const holder = `import { tryMutex } from ${JSON.stringify(mutexModule)};
  await tryMutex(process.argv[1]); console.log('held'); setInterval(() => {}, 1000);`;

describe('the install lock', () => {
  it('is held by one at a time, and free again after release', async () => {
    const path = join(home, 'a/install.lock');
    const first = await tryMutex(path);
    expect(await tryMutex(path)).toEqual({ heldBy: process.pid });
    if ('release' in first) await first.release();
    expect(await tryMutex(path)).toHaveProperty('release');
  });

  it('is taken over from an owner that was killed, and by one only', async () => {
    const path = join(home, 'install.lock');
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', holder, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    expect(await tryMutex(path)).toEqual({ heldBy: child.pid });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const takers = await Promise.all([tryMutex(path), tryMutex(path), tryMutex(path)]);
    expect(takers.filter((taker) => 'release' in taker)).toHaveLength(1);
  });

  it('of another machine is respected until its owner stops refreshing it', async () => {
    const path = join(home, 'install.lock');
    mkdirSync(path);
    const owner = join(path, 'owner.json');
    writeFileSync(owner, JSON.stringify({ token: 'x', pid: 1, started: '1', boot: 'another' }));
    expect(await tryMutex(path)).toEqual({ heldBy: 1 });
    utimesSync(owner, new Date(Date.now() - 120_000), new Date(Date.now() - 120_000));
    expect(await tryMutex(path)).toHaveProperty('release');
  });
});

describe('killLeftovers', () => {
  it('ends what an install of this folder left behind, children too, and nothing else', async () => {
    const mine = spawn('sh', ['-c', 'sleep 60 & wait'], {
      env: { ...process.env, [installMark]: home },
      stdio: 'ignore',
    });
    const other = spawn('sleep', ['60'], {
      env: { ...process.env, [installMark]: `${home}-other` },
      stdio: 'ignore',
    });
    await Promise.all([once(mine, 'spawn'), once(other, 'spawn')]);
    await new Promise((done) => setTimeout(done, 200));
    expect(await killLeftovers(home)).toHaveLength(2);
    expect(await killLeftovers(home)).toEqual([]);
    expect(other.exitCode).toBeNull();
    other.kill();
  });
});

describe('loadStack', () => {
  const lock = (change: object) => ({
    ...{ schemaVersion: 1, name: 'pip', origin: 'private', accelerator: 'cpu', hash: 'abc' },
    ...{ python: { path: process.execPath, version: '3.11.7' }, torch: { version: '2.15.0' } },
    ...{ deepspeed: { version: '0.19.8' }, ops: { directory: home, key: 'k', compiler: 'c', ninja: 'n' } },
    ...{ packages: {}, request: {}, environment: { CXX: 'c++' }, pathPrefix: ['/bin'] },
    ...change,
  });

  it('knows no stack in an empty, absent or half-made folder', async () => {
    expect(await loadStack(home, 'pip')).toBeUndefined();
    mkdirSync(join(stackPaths(home, 'pip').venv, 'bin'), { recursive: true });
    writeFileSync(stackPaths(home, 'pip').packagesDone, '{}');
    expect(await loadStack(home, 'pip')).toBeUndefined();
    expect(await listStacks(home)).toEqual([]);
  });

  it('knows a stack by its lock, as long as its Python and its ops are there', async () => {
    await writeJsonAtomic(stackPaths(home, 'pip').lock, lock({}));
    expect(await loadStack(home, 'pip')).toMatchObject({ name: 'pip', schemaVersion: 2, upstreams: {} });
    await writeJsonAtomic(
      stackPaths(home, 'pip').lock,
      lock({ python: { path: join(home, 'gone'), version: '3.11.7' } }),
    );
    expect(await loadStack(home, 'pip')).toBeUndefined();
    await writeJsonAtomic(
      stackPaths(home, 'pip').lock,
      lock({ ops: { directory: join(home, 'gone'), key: 'k', compiler: 'c', ninja: 'n' } }),
    );
    expect(await loadStack(home, 'pip')).toBeUndefined();
  });

  it.each([
    [{ schemaVersion: 3 }, /schema version 3; this superoffload knows up to 2/],
    [{ schemaVersion: 'one' }, /is not the lock of a stack/],
    [{ python: undefined }, /is not the lock of a stack/],
    [{ ops: { directory: 1 } }, /is not the lock of a stack/],
    [{ environment: { CXX: 5 } }, /is not the lock of a stack/],
    [{ pathPrefix: 'bin' }, /is not the lock of a stack/],
  ])('refuses %j', async (change, message) => {
    await writeJsonAtomic(stackPaths(home, 'pip').lock, lock(change));
    await expect(loadStack(home, 'pip')).rejects.toThrow(message);
  });

  it.each(['{"schemaVersion": 1}', '{"schemaVersion": 1', '[]', 'null', ''])(
    'says what to do about a lock that is only %j: exit 3',
    async (text) => {
      const path = stackPaths(home, 'pip').lock;
      await writeJsonAtomic(path, {});
      writeFileSync(path, text);
      const error: unknown = await loadStack(home, 'pip').catch((caught: unknown) => caught);
      expect(error).toMatchObject({
        code: 'install',
        hint: 'run: superoffload install --stack pip --reinstall',
      });
      expect(exitCodeOf(error)).toBe(3);
    },
  );
});
