import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { killLeftovers } from '../../../src/adapters/stack/leftovers.ts';
import { processesWith } from '../../../src/adapters/processes.ts';
import { loadStack, stackPaths } from '../../../src/adapters/stack/store.ts';
import { installStack } from '../../../src/workflows/install/install.ts';
import { upstreamSource } from '../../patches/sources.ts';
import { realStack } from '../../real-stack.ts';
import { context, newHome, options, packageRoot } from './context.ts';

/* An install that is stopped while Megatron comes over the network: its packages are in place, its files are not. */
const found = upstreamSource('megatron');

describe('an install that is stopped while it fetches Megatron', { timeout: 600_000 }, () => {
  let asked = (): void => undefined;
  /** Says which branch there is, as files behind a web server do, and never answers the fetch that follows. */
  const server: Server = createServer(({ url = '' }, response) => {
    const isFirst = looks === 0;
    if (url.includes('/info/refs')) looks += 1;
    if (url.endsWith('/HEAD')) response.end('ref: refs/heads/superoffload\n');
    else if (isFirst) response.end(`${'f'.repeat(40)}\trefs/heads/superoffload\n`);
    else asked();
  });
  let looks = 0;
  const homes: string[] = [];
  let child: ChildProcess | undefined;
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    child?.kill('SIGKILL');
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
    for (const home of homes) rmSync(home, { recursive: true, force: true });
  });

  async function startAndWait() {
    const home = realpathSync(newHome());
    homes.push(home);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/megatron.git`;
    const flags = ['--python', realStack.python, '--overlay', '--with', 'megatron'];
    looks = 0;
    const fetching = new Promise<void>((resolve) => (asked = resolve));
    const started = spawn(
      process.execPath,
      ['--import', 'tsx', 'src/main.ts', 'install', ...flags, '--source', `megatron=${url}`],
      {
        cwd: packageRoot,
        env: { ...process.env, SUPEROFFLOAD_HOME: home },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    child = started;
    let said = '';
    started.stderr.on('data', (text: Buffer) => (said += text.toString()));
    const ended = once(started, 'exit') as Promise<[number | null]>;
    const first = await Promise.race([fetching.then(() => 'asked'), ended.then(() => 'ended')]);
    expect(first, said).toBe('asked');
    const paths = stackPaths(home, 'pip');
    expect(existsSync(paths.extrasDone)).toBe(true);
    expect(processesWith('SUPEROFFLOAD_INSTALL', paths.directory).length).toBeGreaterThan(0);
    return { home, paths, started, ended };
  }

  it('by Ctrl-C: exit 130, no git is left, and no stack looks ready', async () => {
    const { home, paths, started, ended } = await startAndWait();
    started.kill('SIGINT');
    expect((await ended)[0]).toBe(130);
    expect(processesWith('SUPEROFFLOAD_INSTALL', paths.directory)).toEqual([]);
    expect(existsSync(paths.mutex)).toBe(false);
    expect(await loadStack(home, 'pip')).toBeUndefined();
    expect(existsSync(join(paths.sources, 'megatron'))).toBe(false);
  });

  it.skipIf('missing' in found)(
    `by kill -9: the next install ends its git, takes the packages that are there, and finishes${'missing' in found ? ` (skipped: ${found.missing})` : ''}`,
    async () => {
      const { home, paths, started, ended } = await startAndWait();
      started.kill('SIGKILL');
      await ended;
      expect(processesWith('SUPEROFFLOAD_INSTALL', paths.directory).length).toBeGreaterThan(0);
      const source = 'path' in found ? found.path : '';
      const { state, lock } = await installStack(context(home).ctx, {
        ...options,
        ...{ overlay: true, with: ['megatron'], sources: [`megatron=${source}`] },
      });
      expect(state).toBe('installed');
      expect(lock?.upstreams.megatron?.patches?.applied.length).toBeGreaterThan(0);
      expect(readFileSync(paths.installLog, 'utf8')).not.toMatch(/^\$ .*( venv |megatron-requirements)/m);
      expect(await killLeftovers(paths.directory)).toEqual([]);
      expect(existsSync(join(paths.sources, '.megatron.fetching'))).toBe(false);
    },
  );
});
