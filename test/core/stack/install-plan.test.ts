import { describe, expect, it } from 'vitest';
import { explainFailure } from '../../../src/core/stack/failures.ts';
import type { InstallFacts } from '../../../src/core/stack/install-facts.ts';
import { planInstall } from '../../../src/core/stack/install-plan.ts';
import type { PythonFacts } from '../../../src/core/stack/python.ts';
import { choosePython, rankOf } from '../../../src/core/stack/python.ts';
import { flagFaults, torchRefusal } from '../../../src/core/stack/refusals.ts';
import { describeStep } from '../../../src/core/stack/steps.ts';
import { judge } from '../../../src/core/stack/verification.ts';

const python: PythonFacts = {
  path: '/opt/torch/.venv/bin/python',
  identity: 'a',
  version: '3.12.3',
  machine: 'x86_64',
  is64Bit: true,
  base: '/usr/bin/python3.12',
  hasHeaders: true,
  hasVenv: true,
  hasEnsurepip: true,
  hasPip: false,
  sitePackages: ['/opt/torch/.venv/lib/python3.12/site-packages'],
  torch: { version: '2.11.0+cu130', cuda: '13.0' },
  packages: { torch: '2.11.0', ninja: '1.13.0' },
};
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
    ...{ directory: '/s', venv: '/s/venv', bin: '/s/bin', lock: '/s/lock.json' },
    ...{ requirements: '/s/requirements.txt', packagesDone: '/s/packages.json' },
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
    expect(steps.map(({ id }) => id)).toEqual([
      ...['not-ready', 'clean', 'clean', 'clean', 'venv', 'requirements', 'packages', 'packages-done'],
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
    const commands = planInstall({ ...adopt, packages: [] }).flatMap((s) =>
      s.kind === 'command' ? s.command : [],
    );
    expect(commands).not.toContain('install');
    expect(commands).not.toContain('venv');
  });
});

describe('flagFaults', () => {
  const flags = {
    stack: 'pip',
    python: undefined,
    torch: undefined,
    deepspeed: undefined,
    offline: false,
    findLinks: undefined,
    overlay: false,
  };

  it.each([
    [{ stack: 'fork' }, ['--stack']],
    [{ stack: 'conda' }, ['--stack']],
    [{ deepspeed: '0.17.6' }, ['--deepspeed']],
    [{ deepspeed: 'latest', torch: 'new' }, ['--torch', '--deepspeed']],
    [{ overlay: true }, ['--overlay']],
    [{ offline: true }, ['--offline']],
    [{ python: '/p', torch: '2.0.1' }, ['--torch']],
    [{ python: '/p', overlay: true, torch: '2.0.1' }, ['--torch']],
    [{ python: '/p', offline: true }, []],
    [{ python: '/p', overlay: true, offline: true, findLinks: '/d', deepspeed: '0.18.0' }, []],
    [{ stack: 'x', overlay: true, deepspeed: '0.1.0' }, ['--stack', '--overlay', '--deepspeed']],
  ])('%j: faults at %j', (change, places) => {
    expect(flagFaults({ ...flags, ...change }).map(({ place }) => place)).toEqual(places);
  });
});

describe('Python and torch', () => {
  const candidate = (version: string, change: Partial<PythonFacts> = {}) => ({
    ...{ command: version, problem: null },
    facts: { ...python, version, path: version, ...change },
  });

  it('prefers versions seen working, then newer ones; never an old one or one without headers', () => {
    expect(choosePython([candidate('3.13.0'), candidate('3.11.7'), candidate('3.12.1')])?.version).toBe(
      '3.11.7',
    );
    expect(choosePython([candidate('3.13.0'), candidate('3.9.1')])?.version).toBe('3.13.0');
    expect(choosePython([candidate('3.11.2', { hasHeaders: false }), candidate('3.9.1')])).toBeUndefined();
    expect(
      choosePython([{ command: 'python3.12', facts: null, problem: 'exit status 127' }]),
    ).toBeUndefined();
    expect([rankOf('3.9.9'), rankOf('3.10.0'), rankOf('3.12.9'), rankOf('3.13.0')]).toEqual([
      'too old',
      'seen',
      'seen',
      'unseen',
    ]);
  });

  it('refuses a torch without CUDA beside a GPU, on aarch64 with what to install there', () => {
    const cpuOnly = { version: '2.9.0', cuda: null };
    expect(torchRefusal(cpuOnly, { path: '/p', machine: 'aarch64' }, 'cuda')?.hint).toMatch(/aarch64/);
    expect(torchRefusal(cpuOnly, python, 'cpu')).toBeUndefined();
    expect(torchRefusal({ version: '2.9.0', cuda: '13.0' }, python, 'cuda')).toBeUndefined();
    expect(torchRefusal(null, python, 'cpu')?.message).toMatch(/has no torch/);
  });

  it('judges the proof', () => {
    const good = {
      python: '3.12.3',
      torch: '2.15.0',
      cuda: '13.2',
      cudaAvailable: true,
      gpuCount: 1,
      deepspeed: '0.19.8',
      loadSeconds: 4,
      adamDifference: 1e-7,
      problems: [],
      packages: {},
    };
    expect(judge(good, 'cuda', { gpus: [] })).toEqual({ refusals: [], warnings: [] });
    expect(judge({ ...good, cudaAvailable: false }, 'cuda', { gpus: [] }).refusals[0]?.hint).toMatch(
      /driver/,
    );
    expect(judge({ ...good, adamDifference: 0.01 }, 'cpu', { gpus: [] }).refusals).toHaveLength(1);
    expect(judge({ ...good, adamDifference: Number.NaN }, 'cpu', { gpus: [] }).refusals).toHaveLength(1);
    expect(judge({ ...good, problems: ['x needs y'] }, 'cpu', { gpus: [] }).refusals).toHaveLength(1);
    expect(judge({ ...good, loadSeconds: 40 }, 'cpu', { gpus: [] }).warnings).toHaveLength(1);
  });
});

describe('explainFailure', () => {
  // Lines as the tools print them.
  it.each([
    ['error: failed to write: No space left on device (os error 28)', 'environment', /disk is full/],
    ['c++: fatal error: Killed signal terminated program cc1plus', 'environment', /MAX_JOBS=1/],
    ['ERROR: No matching distribution found for hjson==3.1.0', 'install', /DIR must hold/],
    ['error: Request failed after 3 retries: dns error', 'environment', /network/],
    ['something else', 'install', /all output: \/s\/install.log/],
  ])('%s', (line, code, hint) => {
    const found = explainFailure({ title: 'install torch' }, 'exit status 1', [line], '/s/install.log');
    expect(found).toMatchObject({ code });
    expect(found.hint).toMatch(hint);
    expect(found.message).toContain(line);
  });
});
