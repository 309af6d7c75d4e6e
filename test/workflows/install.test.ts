import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { killLeftovers } from '../../src/adapters/stack/leftovers.ts';
import { loadStack, stackPaths } from '../../src/adapters/stack/store.ts';
import { stackEnvironment } from '../../src/core/stack/environment.ts';
import type { Context } from '../../src/workflows/context.ts';
import type { ProgressEvent } from '../../src/workflows/events.ts';
import { installStack } from '../../src/workflows/install.ts';
import type { InstallOptions } from '../../src/workflows/install.ts';
import { realStack } from '../real-stack.ts';

/*
 * Real installs over the packages of the shared stack: an adopted environment, and an overlay from a folder of
 * wheels by pip. The install of everything from the index is done once for the whole suite, in global-setup.
 */
const packageRoot = fileURLToPath(new URL('../..', import.meta.url));
const main = join(packageRoot, 'src/main.ts');
const options: InstallOptions = {
  ...{ stack: 'pip', python: realStack.python, torch: undefined, deepspeed: undefined, offline: false },
  ...{ findLinks: undefined, overlay: false, reinstall: false, dryRun: false, ops: [] },
};

function context(home: string, env: Record<string, string | undefined> = process.env) {
  const events: ProgressEvent[] = [];
  const ctx: Context = {
    ...{ env, cwd: tmpdir(), home, packageRoot, now: Date.now },
    emit: (event) => void events.push(event),
    signal: new AbortController().signal,
    force: new AbortController().signal,
  };
  return { ctx, events };
}

const newHome = (): string => mkdtempSync(join(tmpdir(), 'install-'));

describe('an adopted environment', { timeout: 240_000 }, () => {
  const home = newHome();

  it('--dry-run lists the steps and changes nothing', async () => {
    const { ctx } = context(join(home, 'dry'));
    const report = await installStack(ctx, { ...options, dryRun: true });
    expect(report).toMatchObject({ state: 'planned', lock: null });
    expect(report.steps.map(({ id }) => id)).toContain('verify');
    expect(existsSync(join(home, 'dry'))).toBe(false);
  });

  it('is verified, locked, and untouched; two installs at once make one stack', async () => {
    const packages = join(dirname(dirname(realStack.python)), 'lib');
    const before = execFileSync('find', [packages, '-newermt', '@0', '-printf', '.'], {
      encoding: 'utf8',
    }).length;
    const [first, second] = [context(home), context(home)];
    const reports = await Promise.all([installStack(first.ctx, options), installStack(second.ctx, options)]);
    expect(reports.map(({ state }) => state).sort()).toEqual(['installed', 'ready']);
    expect([...first.events, ...second.events].filter(({ type }) => type === 'note')).toHaveLength(1);
    const after = execFileSync('find', [packages, '-newermt', '@0', '-printf', '.'], {
      encoding: 'utf8',
    }).length;
    expect(after).toBe(before);
    const lock = await loadStack(home, 'pip');
    expect(lock).toMatchObject({ schemaVersion: 1, origin: 'adopted', python: { path: realStack.python } });
    expect(lock?.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(Object.keys(lock?.packages ?? {})).toContain('deepspeed');
  });

  it('takes the ops that were built for it, and a ninja elsewhere on PATH does not rebuild them', async () => {
    const made = await loadStack(home, 'pip');
    // The shared stack's ops are of the same sources, flags and tools: with their times kept, nothing is compiled.
    cpSync(realStack.env['TORCH_EXTENSIONS_DIR']!, made!.ops.directory, {
      recursive: true,
      preserveTimestamps: true,
    });
    const { ctx, events } = context(home);
    const { ops: _none, ...withOps } = options;
    const { lock } = await installStack(ctx, { ...withOps, reinstall: true });
    expect(lock?.ops.built).toContain('cpu_adam');
    expect(lock?.ops.flags['cpu_adam']).toContain('-march=native');
    expect(events.filter((event) => event.type === 'task' && event.state === 'failed')).toEqual([]);

    // Another ninja and another compiler come first on the user's PATH, and would fail if they were called.
    const trap = mkdtempSync(join(tmpdir(), 'trap-'));
    for (const name of ['ninja', 'c++', 'g++']) {
      writeFileSync(join(trap, name), '#!/bin/sh\necho trapped >&2; exit 9\n');
      chmodSync(join(trap, name), 0o755);
    }
    const env = stackEnvironment(lock!, {
      ...process.env,
      PATH: `${trap}:${process.env['PATH'] ?? ''}`,
      CXX: 'nope',
    });
    const program = join(packageRoot, 'experiment/stacks/check_stack.py');
    const began = performance.now();
    const said = execFileSync(lock!.python.path, [program, 'verify', 'cpu_adam'], {
      env,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    expect(said).toContain('ninja: no work to do');
    expect(performance.now() - began).toBeLessThan(60_000);
  });

  it('has nothing to do a second time, in under 2 s', async () => {
    const began = performance.now();
    expect((await installStack(context(home).ctx, options)).state).toBe('ready');
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('is not replaced by other flags without --reinstall', async () => {
    const other = installStack(context(home).ctx, { ...options, python: undefined, torch: '2.12.0' });
    await expect(other).rejects.toMatchObject({
      code: 'install',
      hint: expect.stringContaining('--reinstall') as string,
    });
  });
});

describe('bad input', () => {
  it('is refused with all its faults at once', async () => {
    const bad = { ...options, stack: 'fork', deepspeed: '0.16.0', findLinks: '/nowhere', overlay: true };
    const error: unknown = await installStack(context(newHome()).ctx, bad).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'usage' });
    for (const place of ['--stack', '--deepspeed', '--find-links']) expect(String(error)).toContain(place);
  });

  it.each([
    ['/bin/false', /does not work as a Python \(exit status 1/],
    ['/nowhere/python', /does not work as a Python/],
  ])('--python %s', async (python, message) => {
    await expect(installStack(context(newHome()).ctx, { ...options, python })).rejects.toThrow(message);
  });

  it('a state folder in the place of a file is an error of the environment', async () => {
    const home = join(newHome(), 'file');
    writeFileSync(home, '');
    await expect(installStack(context(home).ctx, options)).rejects.toMatchObject({ code: 'environment' });
  });
});

describe('an install that is stopped half-way', { timeout: 120_000 }, () => {
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

/** Makes wheels out of installed packages, so that an offline install is tested without a network. */
const repack = `
import csv, importlib.metadata, sys, zipfile
for name in sys.argv[2:]:
    found = importlib.metadata.distribution(name)
    keep = [f for f in found.files if '..' not in f.parts and '__pycache__' not in f.parts and f.name not in ('INSTALLER', 'REQUESTED', 'direct_url.json', 'RECORD')]
    info = next(f.parent for f in keep if f.name == 'METADATA')
    with zipfile.ZipFile(f'{sys.argv[1]}/{name}-{found.version}-py3-none-any.whl', 'w') as wheel:
        for f in keep: wheel.write(f.locate(), str(f))
        wheel.writestr(f'{info}/RECORD', ''.join(f'{f},,\\n' for f in keep) + f'{info}/RECORD,,\\n')
`;

describe('an overlay', { timeout: 240_000 }, () => {
  const folder = newHome();
  const base = join(folder, 'base venv/bin/python');
  const wheels = join(folder, 'wheels');

  beforeAll(() => {
    // A real virtual environment with torch, but without DeepSpeed and hjson: links to all the other packages.
    execFileSync(realStack.python, ['-m', 'venv', '--without-pip', join(folder, 'base venv')]);
    const site = (python: string) =>
      execFileSync(python, ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'], {
        encoding: 'utf8',
      }).trim();
    const [from, to] = [site(realStack.python), site(base)];
    for (const entry of readdirSync(from)) {
      if (!/^(deepspeed|hjson|_virtualenv)/.test(entry))
        execFileSync('ln', ['-sfn', join(from, entry), join(to, entry)]);
    }
    mkdirSync(wheels);
    execFileSync(realStack.python, ['-c', repack, wheels, 'deepspeed', 'hjson']);
  });

  it('is what an environment that lacks packages is told to use', async () => {
    const adopted = installStack(context(newHome()).ctx, { ...options, python: base });
    await expect(adopted).rejects.toThrow(/lacks .*deepspeed.*hjson/);
  });

  it('adds only the missing ones from a folder of wheels, by pip, without a network and without uv', async () => {
    const home = join(folder, 'state');
    const paths = stackPaths(home, 'pip');
    // What an install that was stopped while it copied packages would leave.
    mkdirSync(join(paths.venv, 'lib/half'), { recursive: true });
    // Neither uv nor an index can be reached: a machine without a network.
    const env = { PATH: '/usr/bin:/bin', HOME: folder, PIP_INDEX_URL: 'http://127.0.0.1:1/' };
    const report = await installStack(context(home, env).ctx, {
      ...options,
      ...{ python: base, overlay: true, offline: true, findLinks: wheels },
    });
    expect(report.state).toBe('installed');
    expect(existsSync(join(paths.venv, 'lib/half'))).toBe(false);
    expect(report.lock).toMatchObject({ origin: 'overlay', hashesChecked: false });
    expect(report.lock?.pathPrefix).toEqual([join(paths.venv, 'bin'), dirname(base)]);
    const where = execFileSync(
      report.lock!.python.path,
      ['-c', 'import torch, hjson; print(torch.__file__); print(hjson.__file__)'],
      { encoding: 'utf8', env: stackEnvironment(report.lock!, env) },
    ).split('\n');
    expect(where[0]).toContain('base venv');
    expect(where[1]).toContain(paths.venv);
    expect(readFileSync(paths.requirements, 'utf8').trim().split('\n')).toHaveLength(2);
  });

  it('says which file a folder lacks', async () => {
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const failed = installStack(context(newHome()).ctx, {
      ...options,
      ...{ python: base, overlay: true, offline: true, findLinks: empty },
    });
    await expect(failed).rejects.toMatchObject({
      code: 'install',
      hint: expect.stringContaining('DIR must hold a file for each package') as string,
    });
  });
});
