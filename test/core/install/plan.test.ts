import { describe, expect, it } from 'vitest';
import type { InstallFacts } from '../../../src/core/install/facts.ts';
import { planInstall } from '../../../src/core/install/plan.ts';
import { describeStep } from '../../../src/core/install/steps.ts';
import { python } from '../stack/sample-python.ts';

const entry = (name: string, version: string) => ({
  name,
  version,
  marker: null,
  hashes: ['sha256:00'],
  via: [],
});
const facts: InstallFacts = {
  origin: 'private',
  folders: {
    ...{ directory: '/s', bytecode: '/s/bytecode', venv: '/s/venv', bin: '/s/bin', lock: '/s/lock.json' },
    ...{
      requirements: '/s/requirements.txt',
      packagesDone: '/s/packages.json',
      manifest: '/s/manifest.json',
    },
    ...{ sources: '/s/src', extraRequirements: '/s/extra.txt', extrasDone: '/s/extra.json' },
  },
  python,
  installer: { kind: 'uv', command: ['/bin/uv'] },
  packages: [
    entry('torch', '2.15.0'),
    entry('deepspeed', '0.19.8'),
    entry('ninja', '1.13.2'),
    entry('setuptools', '84.0'),
  ],
  isComplete: true,
  requirementsText: 'torch==2.15.0 --hash=sha256:00\n',
  findLinks: null,
  isOffline: false,
  packagesKey: 'key',
  packagesReady: false,
  sources: {
    ...{ choices: [], packages: [], packagesKey: '', packagesReady: false, deepspeedPackages: null },
    ...{ apex: null, checkProgram: '/package/check_sources.py' },
  },
  opsDirectory: '/s/ops/key',
  ops: ['cpu_adam'],
  systemNinja: '/usr/bin/ninja',
  checkProgram: '/package/check_stack.py',
};
const texts = (changes: Partial<InstallFacts>) => planInstall({ ...facts, ...changes }).map(describeStep);

describe('planInstall', () => {
  it('unreadies the stack first, and proves the ops without a compiler last', () => {
    const steps = planInstall(facts);
    expect(steps[0]).toMatchObject({ kind: 'remove', path: '/s/lock.json' });
    expect(steps[1]).toMatchObject({ kind: 'remove', path: '/s/manifest.json' });
    expect(steps.map(({ id }) => id)).toEqual([
      ...[
        'not-ready',
        'clean',
        'clean',
        'clean',
        'clean',
        'clean',
        'venv',
        'requirements',
        'packages',
        'packages-done',
      ],
      ...['ops', 'no-compiler', 'verify', 'clean'],
    ]);
    expect(steps.find(({ id }) => id === 'verify')).toMatchObject({
      environment: 'stack without a compiler',
    });
  });

  it('checks hashes and compiles bytecode', () => {
    expect(texts({}).find((text) => text.includes('pip install'))).toBe(
      '/bin/uv pip install --python /s/venv/bin/python --compile-bytecode -r /s/requirements.txt --require-hashes --no-deps',
    );
  });

  it('goes on after the packages when an interrupted install had them in place', () => {
    expect(planInstall({ ...facts, packagesReady: true }).map(({ id }) => id)).toEqual([
      'not-ready',
      'clean',
      'ops',
      'no-compiler',
      'verify',
      'clean',
    ]);
  });

  it('offline: build tools first, then everything without build isolation, from the folder alone', () => {
    const lines = texts({
      isOffline: true,
      findLinks: '/wheels',
      installer: { kind: 'pip', from: 'ensurepip' },
    });
    const pip = lines.filter((text) => text.includes('-m pip install'));
    expect(pip[0]).toContain('--no-index --find-links /wheels setuptools==84.0');
    expect(pip[1]).toContain(
      '--no-index --find-links /wheels -r /s/requirements.txt --no-deps --no-build-isolation',
    );
    expect(pip.join()).not.toContain('--require-hashes');
  });

  it('runs pip from its own wheel where there is neither uv nor pip', () => {
    const lines = texts({
      installer: { kind: 'pip', from: { wheel: '/wheels/pip-26.whl' } },
      findLinks: '/wheels',
    });
    expect(lines).toContain('/opt/torch/.venv/bin/python -m venv --without-pip /s/venv');
    expect(
      lines.some((text) => text.startsWith('PYTHONPATH=/wheels/pip-26.whl /s/venv/bin/python -m pip')),
    ).toBe(true);
  });

  it('an overlay sees the packages of a Python that is itself a virtual environment, and its ninja', () => {
    const steps = planInstall({
      ...facts,
      origin: 'overlay',
      packages: [entry('hjson', '3.1.0')],
      requirementsText: null,
    });
    expect(steps.find(({ id }) => id === 'overlay')).toMatchObject({
      path: '/s/venv/lib/python3.12/site-packages/superoffload-overlay.pth',
      text: 'import site; site.addsitedir("/opt/torch/.venv/lib/python3.12/site-packages")\n',
    });
    expect(steps.find(({ id }) => id === 'ninja')).toMatchObject({ target: '/opt/torch/.venv/bin/ninja' });
  });

  it('never installs into an adopted environment: what is missing is listed, with --overlay as the way out', () => {
    const adopt = { ...facts, origin: 'adopted' as const };
    expect(() => planInstall({ ...adopt, packages: [entry('hjson', '3.1.0')] })).toThrow(
      /lacks hjson \(3\.1\.0/,
    );
    expect(texts({ ...adopt, packages: [] })).toContain('rm -rf /s/bytecode');
    const commands = planInstall({ ...adopt, packages: [] }).flatMap((s) =>
      s.kind === 'command' ? s.command : [],
    );
    expect(commands).not.toContain('install');
    expect(commands).not.toContain('venv');
  });
});
