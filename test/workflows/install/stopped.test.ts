import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { killLeftovers } from '../../../src/adapters/stack/leftovers.ts';
import { loadStack, stackPaths } from '../../../src/adapters/stack/store.ts';
import { installStack } from '../../../src/workflows/install/install.ts';
import { realStack } from '../../real-stack.ts';
import { context, newHome, options, packageRoot } from './context.ts';

const main = join(packageRoot, 'src/main.ts');

describe('an install that is stopped half-way', { timeout: 600_000 }, () => {
  /** A compiler that answers --version and then never ends: where a real install spends its longest minute. */
  function endlessCompiler(): string {
    const path = join(mkdtempSync(join(tmpdir(), 'cxx-')), 'c++');
    writeFileSync(
      path,
      '#!/bin/sh\ncase "$*" in *--version*|-v|*dumpfullversion*) exec c++ "$@";; esac\nexec sleep 300\n',
    );
    chmodSync(path, 0o755);
    return path;
  }

  async function startAndWait(home: string) {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', main, 'install', '--python', realStack.python],
      {
        cwd: packageRoot,
        env: { ...process.env, SUPEROFFLOAD_HOME: home, CXX: endlessCompiler() },
        stdio: 'ignore',
      },
    );
    const { installLog } = stackPaths(home, 'pip');
    while (
      child.exitCode === null &&
      !(existsSync(installLog) && readFileSync(installLog, 'utf8').includes('loading'))
    ) {
      await sleep(100);
    }
    await sleep(500);
    return child;
  }

  it('by kill -9: it never looks ready, and the next install ends the leftovers and works', async () => {
    const home = newHome();
    const child = await startAndWait(home);
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await loadStack(home, 'pip')).toBeUndefined();
    expect(existsSync(stackPaths(home, 'pip').mutex)).toBe(true);
    const { state } = await installStack(context(home).ctx, options);
    expect(state).toBe('installed');
    expect(await killLeftovers(stackPaths(home, 'pip').directory)).toEqual([]);
  });

  it('by Ctrl-C: exit 130, nothing runs on, and the lock is free', async () => {
    const home = newHome();
    const child = await startAndWait(home);
    child.kill('SIGINT');
    const [code] = (await once(child, 'exit')) as [number];
    expect(code).toBe(130);
    expect(await killLeftovers(stackPaths(home, 'pip').directory)).toEqual([]);
    expect(existsSync(stackPaths(home, 'pip').mutex)).toBe(false);
    expect(await loadStack(home, 'pip')).toBeUndefined();
  });
});
