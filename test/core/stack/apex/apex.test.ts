import { describe, expect, it } from 'vitest';
import type { ApexBuildFacts } from '../../../../src/core/stack/apex/facts.ts';
import type { ApexSource } from '../../../../src/core/stack/apex/source.ts';
import { chooseApex } from '../../../../src/core/stack/apex/apex.ts';
import type { ApexDecision } from '../../../../src/core/stack/apex/apex.ts';
import { describeStep } from '../../../../src/core/install/steps.ts';

const old: ApexSource = {
  extensions: ['apex_C', 'amp_C'],
  ...{ readsVariables: false, fixedArchitectures: [70, 80], usesTensorType: true },
};
const recent: ApexSource = {
  extensions: ['apex_C', 'amp_C'],
  ...{ readsVariables: true, fixedArchitectures: [], usesTensorType: false },
};
const uv = { kind: 'uv', command: ['/bin/uv'] } as const;
const pip = { kind: 'pip', from: 'ensurepip' } as const;

/** A machine on which everything fits: CUDA 12.4 in torch and toolkit. */
const facts: ApexBuildFacts = {
  ...{ origin: 'private', python: '/s/venv/bin/python', installer: uv, pipVersion: null },
  ...{ directory: '/s/src/apex', source: old, torch: { version: '2.5.1+cu124', cuda: '12.4' } },
  ...{ accelerator: 'cuda', capabilities: ['9.0', '9.0', '8.0'] },
  toolkits: [{ home: '/usr/local/cuda', version: '12.4' }],
  ...{ memoryBytes: 64 * 2 ** 30, cores: 16, maxJobs: undefined, present: null },
  checkProgram: '/p/check_apex.py',
};

const lines = (decision: ApexDecision): string[] =>
  decision.kind === 'build' ? decision.steps.map(describeStep) : [decision.kind];

describe('how the extensions are asked for', () => {
  const common = `CUDA_HOME=/usr/local/cuda MAX_JOBS=16 TORCH_CUDA_ARCH_LIST='8.0;9.0'`;
  const uvInstall =
    '/bin/uv pip install --python /s/venv/bin/python --no-cache --offline --reinstall-package apex ' +
    '--no-deps --no-build-isolation';
  const pipInstall =
    '/s/venv/bin/python -m pip --isolated install -v --no-input --disable-pip-version-check --no-cache-dir ' +
    '--force-reinstall --no-deps --no-build-isolation';
  const settings =
    '--use-pep517 --config-settings=--build-option=--cpp_ext --config-settings=--build-option=--cuda_ext';
  const global = '--global-option=--cpp_ext --global-option=--cuda_ext';

  it.each([
    [
      'uv, old Apex',
      { installer: uv },
      `${common} ${uvInstall} --config-setting=--build-option=--cpp_ext --config-setting=--build-option=--cuda_ext`,
    ],
    ['pip 22.3, old Apex', { installer: pip, pipVersion: '22.3.1' }, `${common} ${pipInstall} ${global}`],
    ['pip 23.0, old Apex', { installer: pip, pipVersion: '23.0.1' }, `${common} ${pipInstall} ${global}`],
    ['pip 23.1, old Apex', { installer: pip, pipVersion: '23.1' }, `${common} ${pipInstall} ${settings}`],
    ['pip 26.3, old Apex', { installer: pip, pipVersion: '26.3' }, `${common} ${pipInstall} ${settings}`],
    [
      'pip from a wheel',
      { installer: { kind: 'pip', from: { wheel: '/d/pip-25.2.whl' } }, pipVersion: '25.2' },
      `PYTHONPATH=/d/pip-25.2.whl ${common} ${pipInstall} ${settings}`,
    ],
    ['uv, recent Apex', { source: recent }, `${common} APEX_CPP_EXT=1 APEX_CUDA_EXT=1 ${uvInstall}`],
    [
      'any pip, recent Apex',
      { source: recent, installer: pip },
      `${common} APEX_CPP_EXT=1 APEX_CUDA_EXT=1 ${pipInstall}`,
    ],
  ] satisfies [string, Partial<ApexBuildFacts>, string][])('%s', (_, change, command) => {
    const decision = chooseApex('auto', { ...facts, ...change });
    expect(lines(decision)).toEqual([
      'rm -rf /s/src/apex/build',
      `${command} /s/src/apex`,
      '/s/venv/bin/python /p/check_apex.py apex_C amp_C',
    ]);
    expect(decision).toMatchObject({ kind: 'build', extensions: ['apex_C', 'amp_C'] });
    expect(chooseApex('build', { ...facts, ...change })).toEqual(decision);
  });

  it.each([
    [{ memoryBytes: 2 ** 30 }, '1'],
    [{ memoryBytes: 13 * 2 ** 30 }, '4'],
    [{ cores: 6 }, '6'],
    [{ cores: 6, maxJobs: '9' }, '9'],
    [{ cores: 6, maxJobs: 'many' }, '6'],
    [{ cores: 6, maxJobs: '' }, '6'],
  ])('%j: MAX_JOBS=%s', (change, jobs) => {
    expect(lines(chooseApex('build', { ...facts, ...change }))[1]).toContain(` MAX_JOBS=${jobs} `);
  });

  it('leaves the architectures to setup.py where the driver does not say them', () => {
    expect(lines(chooseApex('build', { ...facts, capabilities: [] }))[1]).not.toContain(
      'TORCH_CUDA_ARCH_LIST',
    );
  });

  it('takes the toolkit that matches, not the first', () => {
    const toolkits = [
      { home: '/opt/cuda', version: '13.0' },
      { home: '/usr/local/cuda-12.4', version: '12.4' },
    ];
    expect(lines(chooseApex('build', { ...facts, toolkits }))[1]).toContain(
      'CUDA_HOME=/usr/local/cuda-12.4 ',
    );
  });
});

describe('where it is not built', () => {
  const cuda13 = {
    torch: { version: '2.11.0+cu130', cuda: '13.0' },
    toolkits: [{ home: '/usr/local/cuda', version: '13.0' }],
  };

  it.each([
    ['no toolkit', { toolkits: [] }, ['no CUDA toolkit (nvcc) is here']],
    [
      'another major version',
      { toolkits: [{ home: '/c', version: '11.8' }] },
      ['torch is built for CUDA 12.4, and the toolkit is 11.8 in /c'],
    ],
    [
      'another minor version',
      { toolkits: [{ home: '/c', version: '12.6' }] },
      [
        'torch is built for CUDA 12.4, and the toolkit is 12.6 in /c, and Apex refuses another minor version too',
      ],
    ],
    [
      'an nvcc that fails',
      { toolkits: [{ home: '/c', version: null }] },
      ['torch is built for CUDA 12.4, and the toolkit is of an unknown version in /c'],
    ],
    ['no GPU', { accelerator: 'cpu' }, ['this stack is for the CPU, and the extensions run on a GPU']],
    [
      'torch without CUDA',
      { torch: { version: '2.5.1', cuda: null } },
      ['torch 2.5.1 is built without CUDA'],
    ],
    ['an adopted Python', { origin: 'adopted' }, ['nothing is installed into an adopted Python']],
    [
      'a silent pip',
      { installer: pip },
      ['pip does not say its version, on which the way to ask for the extensions depends'],
    ],
    [
      'nvcc 13 and an old Apex',
      { ...cuda13, source: { ...old, usesTensorType: false } },
      ['this Apex always builds for compute_70, which nvcc 13.0 refuses'],
    ],
    [
      'torch 2.6 and an old Apex',
      { torch: { version: '2.6.0', cuda: '12.4' } },
      ["this Apex hands tensor.type() to torch's macros, which torch 2.6.0 does not take"],
    ],
    [
      'another setup.py',
      { source: { ...recent, extensions: [] } },
      ['setup.py of this Apex names no extension for --cpp_ext and --cuda_ext'],
    ],
    [
      'two things',
      { origin: 'adopted', toolkits: [] },
      ['nothing is installed into an adopted Python', 'no CUDA toolkit (nvcc) is here'],
    ],
    [
      'the CPU, about which a toolkit says nothing',
      { accelerator: 'cpu', toolkits: [], torch: { version: '2.15.0', cuda: null }, source: null },
      ['this stack is for the CPU, and the extensions run on a GPU'],
    ],
  ] satisfies [string, Partial<ApexBuildFacts>, string[]][])('%s', (_, change, reasons) => {
    const changed: ApexBuildFacts = { ...facts, ...change };
    expect(chooseApex('auto', changed)).toEqual({ kind: 'overlay', reason: reasons.join('; ') });
    const refusal = chooseApex('build', changed);
    expect(refusal).toMatchObject({ kind: 'refusal' });
    if (refusal.kind !== 'refusal') return;
    expect(refusal.message).toBe(
      ['Apex cannot be built here:', ...reasons.map((line) => `- ${line}`)].join('\n'),
    );
    expect(refusal.hint.split('\n').length).toBeGreaterThan(1);
    expect(chooseApex('overlay', changed)).toEqual({ kind: 'overlay', reason: 'asked for' });
  });

  it('before the sources are there, only the machine decides', () => {
    const decision = chooseApex('build', { ...facts, ...cuda13, source: null });
    expect(decision).toMatchObject({ kind: 'build', extensions: [] });
    expect(lines(decision)).toHaveLength(2);
    expect(chooseApex('build', { ...facts, ...cuda13, source: recent }).kind).toBe('build');
    expect(chooseApex('build', { ...facts, ...cuda13, source: old }).kind).toBe('refusal');
  });

  it('an Apex that is there already is only proved', () => {
    const present = ['amp_C', 'fused_layer_norm_cuda', 'syncbn'];
    const adopted = { ...facts, origin: 'adopted', toolkits: [], present } as const;
    expect(lines(chooseApex('auto', adopted))).toEqual([
      '/s/venv/bin/python /p/check_apex.py amp_C fused_layer_norm_cuda syncbn',
    ]);
    expect(chooseApex('auto', { ...adopted, present: ['apex_C'] }).kind).toBe('overlay');
    expect(chooseApex('overlay', adopted).kind).toBe('overlay');
  });
});
