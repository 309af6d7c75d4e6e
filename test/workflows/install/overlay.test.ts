import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { stackPaths } from '../../../src/adapters/stack/store.ts';
import { stackEnvironment } from '../../../src/core/stack/environment.ts';
import { installStack } from '../../../src/workflows/install/install.ts';
import { realStack } from '../../real-stack.ts';
import { context, newHome, options } from './context.ts';

/**
 * Makes wheels out of installed packages, so that an offline install is tested without a network; of patched files
 * what the upstream had there, which is kept beside the tree.
 */
const repack = `
import importlib.metadata, json, pathlib, sys, sysconfig, zipfile
site = pathlib.Path(sysconfig.get_path('purelib'))
patches = site.parent / f'.{site.name}.patches'
kept = patches / json.loads((patches / 'record.json').read_text())['backup'] / 'upstream'
for name in sys.argv[2:]:
    found = importlib.metadata.distribution(name)
    keep = [f for f in found.files if '..' not in f.parts and '__pycache__' not in f.parts and f.name not in ('INSTALLER', 'REQUESTED', 'direct_url.json', 'RECORD')]
    info = next(f.parent for f in keep if f.name == 'METADATA')
    with zipfile.ZipFile(f'{sys.argv[1]}/{name}-{found.version}-py3-none-any.whl', 'w') as wheel:
        for f in keep: wheel.write(kept / f if (kept / f).is_file() else f.locate(), str(f))
        wheel.writestr(f'{info}/RECORD', ''.join(f'{f},,\\n' for f in keep) + f'{info}/RECORD,,\\n')
`;

describe('an overlay', { timeout: 600_000 }, () => {
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
