import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capture } from '../../src/adapters/exec.ts';
import { findToolkits, pipVersionOf, presentApex, readApexTree } from '../../src/adapters/stack/apex.ts';
import { runStep } from '../../src/adapters/stack/run-step.ts';
import { findInstaller } from '../../src/adapters/stack/tools.ts';
import { judgeApex, parseApexCheck } from '../../src/core/stack/apex/check.ts';
import { chooseApex } from '../../src/core/stack/apex/apex.ts';
import type { Installer } from '../../src/core/install/facts.ts';
import { SuperOffloadError } from '../../src/errors.ts';
import { realStack } from '../real-stack.ts';

const packageRoot = join(import.meta.dirname, '../..');
const program = join(packageRoot, 'experiment/stacks/check_apex.py');
const folder = mkdtempSync(join(tmpdir(), 'superoffload apex '));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** A folder like a CUDA toolkit, whose nvcc answers with a recorded text, or fails. */
function toolkit(name: string, answer: string | null): string {
  const home = join(folder, name);
  mkdirSync(join(home, 'bin'), { recursive: true });
  const nvcc = join(home, 'bin/nvcc');
  if (answer !== null)
    copyFileSync(join(import.meta.dirname, '../fixtures/nvcc', answer), join(home, 'said'));
  writeFileSync(nvcc, `#!/bin/sh\n${answer === null ? 'exit 3' : `exec cat '${home}/said'`}\n`);
  chmodSync(nvcc, 0o755);
  return home;
}

describe('CUDA toolkits', () => {
  const first = toolkit('cuda 12.4', '12.4.txt');
  const second = toolkit('cuda-13', '13.0.txt');
  const broken = toolkit('broken', null);
  const bin = { PATH: `${second}/bin:/usr/bin:/bin` };

  it.each([
    [{ PATH: '/usr/bin:/bin' }, []],
    [bin, [{ home: second, version: '13.0' }]],
    [{ ...bin, CUDA_HOME: '' }, [{ home: second, version: '13.0' }]],
    [{ ...bin, CUDA_HOME: '/nothing/here' }, [{ home: second, version: '13.0' }]],
    [
      { ...bin, CUDA_HOME: first, CUDA_PATH: first },
      [
        { home: first, version: '12.4' },
        { home: second, version: '13.0' },
      ],
    ],
    [{ PATH: '/bin', CUDA_PATH: broken }, [{ home: broken, version: null }]],
  ])('%j', async (env, toolkits) => {
    const here = await findToolkits({ PATH: '/nothing' }, null); // what /usr/local has, if anything
    expect(await findToolkits(env, null)).toEqual([...toolkits, ...here]);
  });
});

describe('what an Apex is', () => {
  it('the version of pip is that of its wheel, or of the one that Python brings along', async () => {
    const wheel = { kind: 'pip', from: { wheel: '/d/pip-25.2-py3-none-any.whl' } } as const;
    expect(await pipVersionOf(wheel, '/nothing', {})).toBe('25.2');
    expect(await pipVersionOf({ kind: 'pip', from: 'packages' }, '/nothing', {})).toBeNull();
    const bundled = await pipVersionOf({ kind: 'pip', from: 'ensurepip' }, realStack.python, realStack.env);
    expect(bundled).toMatch(/^2\d\.\d/);
    expect(await pipVersionOf({ kind: 'uv', command: ['uv'] }, realStack.python, realStack.env)).toBeNull();
  });

  it('a folder without setup.py is none', async () => {
    await expect(readApexTree(folder)).rejects.toThrow(SuperOffloadError);
  });

  it('is not any package of that name, and has what can be imported', { timeout: 600_000 }, async () => {
    expect(await presentApex(realStack.python, program, realStack.env)).toBeNull();
    const other = join(folder, 'other');
    mkdirSync(join(other, 'apex'), { recursive: true });
    writeFileSync(join(other, 'apex/__init__.py'), '');
    // The program imports torch for its libraries, which nothing here needs.
    writeFileSync(join(other, 'torch.py'), '__version__ = "2.15.0"');
    const env = { ...realStack.env, PYTHONPATH: other };
    expect(await presentApex(realStack.python, program, env)).toBeNull();
    mkdirSync(join(other, 'apex/multi_tensor_apply'));
    writeFileSync(join(other, 'apex/multi_tensor_apply/__init__.py'), '');
    writeFileSync(join(other, 'amp_C.py'), '');
    writeFileSync(join(other, 'syncbn.py'), 'raise OSError("libcudart.so.11.0: cannot open")');
    expect(await presentApex(realStack.python, program, env)).toEqual(['amp_C']);
  });
});

/**
 * The steps as they are, with the installers of this machine, on a tree that asks for its extensions as Apex's
 * setup.py does and has no compiler work in it: each "extension" is a module that remembers the build's environment.
 */
describe('building by the steps', () => {
  const tree = join(folder, 'src apex');
  const venv = join(folder, 'venv');
  const python = join(venv, 'bin/python');
  const home = toolkit('toolkit', '12.4.txt');

  beforeAll(async () => {
    mkdirSync(join(tree, 'apex/multi_tensor_apply'), { recursive: true });
    for (const name of ['apex', 'apex/multi_tensor_apply'])
      writeFileSync(join(tree, name, '__init__.py'), '');
    const setup = [
      'import os, sys',
      'import psutil  # as Apex imports torch: an isolated build would not find it',
      'from setuptools import setup, find_packages',
      'modules = []',
      'def add(name, extension=lambda name: name):',
      '    modules.append(extension(name))',
      '    seen = {key: os.environ.get(key) for key in ("CUDA_HOME", "MAX_JOBS", "TORCH_CUDA_ARCH_LIST")}',
      '    open(name + ".py", "w").write("seen = " + repr(seen))',
      'CppExtension = CUDAExtension = lambda name: name',
      'if "--cpp_ext" in sys.argv:',
      '    sys.argv.remove("--cpp_ext")',
      '    add(CppExtension("apex_C"))',
      'if "--cuda_ext" in sys.argv:',
      '    sys.argv.remove("--cuda_ext")',
      '    add(CUDAExtension(',
      '        name="amp_C"))',
      'setup(name="apex", version="0.1", packages=find_packages(), py_modules=modules)',
    ];
    writeFileSync(join(tree, 'setup.py'), setup.join('\n'));
    const base = await capture([realStack.python, '-c', 'import sys; print(sys._base_executable)'], {
      env: realStack.env,
    });
    const made = await capture([base.stdout.trim(), '-m', 'venv', venv], { env: { ...process.env } });
    if (made.exitCode !== 0) throw new Error(`no environment to build into: ${made.stderr}`);
    const site = 'import site; print(site.getsitepackages()[0])';
    const [shared, own] = await Promise.all(
      [realStack.python, python].map(async (each) =>
        capture([each, '-c', site], { env: { PATH: '/usr/bin:/bin' } }),
      ),
    );
    const line = `import site; site.addsitedir(${JSON.stringify(shared?.stdout.trim())})\n`;
    writeFileSync(join(own?.stdout.trim() ?? '', 'shared.pth'), line);
  }, 600_000);

  async function build(installer: Installer): Promise<unknown> {
    const env = { ...realStack.env, PYTHONPATH: '' };
    const decision = chooseApex('build', {
      ...{ origin: 'private', python, installer, pipVersion: await pipVersionOf(installer, python, env) },
      ...{ directory: tree, source: await readApexTree(tree), torch: { version: '2.5.1', cuda: '12.4' } },
      ...{
        accelerator: 'cuda',
        capabilities: ['9.0'],
        toolkits: await findToolkits({ CUDA_HOME: home }, '12.4'),
      },
      ...{ memoryBytes: 7 * 2 ** 30, cores: 16, maxJobs: undefined, present: null, checkProgram: program },
    });
    if (decision.kind !== 'build') throw new Error(JSON.stringify(decision));
    expect(decision.extensions).toEqual(['apex_C', 'amp_C']);
    let stdout = '';
    for (const step of decision.steps) {
      const result = await runStep(step, {
        environments: { installer: {}, stack: env, 'stack without a compiler': {} },
        ...{
          cwd: folder,
          log: join(folder, 'log'),
          signal: new AbortController().signal,
          onLine: () => undefined,
        },
      });
      expect(result.failure, result.tail.join('\n')).toBeNull();
      stdout = result.stdout;
    }
    const check = parseApexCheck(stdout);
    if (check === undefined) throw new Error(stdout);
    expect(judgeApex(check, decision.extensions)).toBeUndefined();
    expect(check.apex).toContain(venv);
    return readFileSync(check.files['amp_C'] ?? '', 'utf8');
  }

  const seen = `seen = {'CUDA_HOME': '${home}', 'MAX_JOBS': '2', 'TORCH_CUDA_ARCH_LIST': '9.0'}`;

  it('with the pip of the environment', { timeout: 600_000 }, async () => {
    expect(await build({ kind: 'pip', from: 'ensurepip' })).toBe(seen);
  });

  it('with uv', { timeout: 600_000 }, async ({ skip }) => {
    const facts = { path: python, hasPip: false, hasEnsurepip: false, hasVenv: false } as never;
    const uv = await findInstaller(process.env, facts, { isOverlay: false, findLinks: null });
    skip(uv === undefined, 'uv is not on this machine');
    if (uv !== undefined) expect(await build(uv)).toBe(seen);
  });
});
