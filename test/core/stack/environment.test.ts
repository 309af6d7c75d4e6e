import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  fixedEnvironment,
  scriptEnvironment,
  stackEnvironment,
} from '../../../src/core/stack/environment.ts';
import type { EnvironmentSpec } from '../../../src/core/stack/environment.ts';
import { runScript } from '../../../src/core/plan/describe.ts';
import { ninjaThatRefusesWork, opFlags, opsKey } from '../../../src/core/stack/ops.ts';
import { samplePlan } from '../sample-plan.ts';

const spec: EnvironmentSpec = {
  origin: 'private',
  accelerator: 'cpu',
  gpus: [],
  cpu: { cores: 16 },
  memoryBytes: 7 * 2 ** 30,
  opsDirectory: '/state/ops/key',
  bytecodeDirectory: '/state/bytecode',
  compiler: '/usr/bin/c++',
  maxJobs: undefined,
  pythonPath: '/site/modules',
};

describe('fixedEnvironment', () => {
  it('on a CPU: the CPU accelerator, private ops, and as many compilers as memory holds', () => {
    expect(fixedEnvironment(spec)).toEqual({
      PYTHONUNBUFFERED: '1',
      PYTHONNOUSERSITE: '1',
      TORCH_EXTENSIONS_DIR: '/state/ops/key',
      CXX: '/usr/bin/c++',
      MAX_JOBS: '3',
      DS_ACCELERATOR: 'cpu',
    });
  });

  it('on GPUs: their own architectures instead of the list of torch, on which 10.0a breaks the op builder', () => {
    const gpus = [{ computeCapability: '9.0' }, { computeCapability: '9.0' }];
    const found = fixedEnvironment({ ...spec, accelerator: 'cuda', gpus });
    expect(found).toMatchObject({ TORCH_CUDA_ARCH_LIST: '9.0', DS_SKIP_CUDA_CHECK: '1' });
    expect(found).not.toHaveProperty('DS_ACCELERATOR');
  });

  it('keeps PYTHONPATH for an adopted Python only: a module may need it', () => {
    expect(fixedEnvironment({ ...spec, origin: 'adopted' })).toMatchObject({
      PYTHONPATH: '/site/modules',
      PYTHONPYCACHEPREFIX: '/state/bytecode',
    });
    expect(fixedEnvironment(spec)).not.toHaveProperty('PYTHONPATH');
  });

  it.each([
    ['1', '1'],
    ['0', '3'],
    ['many', '3'],
  ])('takes MAX_JOBS=%s of the caller as %s', (maxJobs, jobs) => {
    expect(fixedEnvironment({ ...spec, maxJobs })['MAX_JOBS']).toBe(jobs);
  });
});

describe('stackEnvironment', () => {
  it("puts the stack's tools first and removes what would rebuild its ops or change its packages", () => {
    const lock = { pathPrefix: ['/state/venv/bin'], environment: { CXX: '/usr/bin/c++' } };
    const base = {
      PATH: '/other/ninja/bin:/usr/bin',
      CXX: 'clang++',
      PYTHONPATH: '/x',
      DS_BUILD_OPS: '1',
      HOME: '/home/u',
    };
    expect(stackEnvironment(lock, base)).toEqual({
      PATH: '/state/venv/bin:/other/ninja/bin:/usr/bin',
      CXX: '/usr/bin/c++',
      HOME: '/home/u',
    });
  });
});

describe('scriptEnvironment', () => {
  const lock = {
    pathPrefix: ['/state/venv/bin'],
    environment: { CXX: '/usr/bin/c++', DS_ACCELERATOR: 'cpu', MAX_JOBS: '3' },
  };

  it('says all of the environment, whatever shell the plan is made in, and the accelerator always', () => {
    const { env, unset } = scriptEnvironment(lock, 'cuda', '/usr/bin');
    expect(env).toEqual({
      CXX: '/usr/bin/c++',
      MAX_JOBS: '3',
      DS_ACCELERATOR: 'cuda',
      PATH: '/state/venv/bin:/usr/bin',
    });
    expect(unset).toEqual(
      expect.arrayContaining(['PYTHONPATH', 'VIRTUAL_ENV', 'CC', 'TORCH_EXTENSIONS_DIR']),
    );
    expect(unset.filter((name) => name in env)).toEqual([]);
  });

  it('gives a run that is started from another shell what the stack was made with', () => {
    const { env, unset } = scriptEnvironment(lock, 'cpu', '/usr/bin:/bin');
    const plan = samplePlan({}, { stackEnvironment: { env, unset } });
    const script = runScript({ ...plan, cwd: '/', command: ['env'] });
    const other = { PATH: '/other:/usr/bin:/bin', CXX: 'clang++', DS_ACCELERATOR: 'cuda', CC: 'clang', PYTHONPATH: '/x' }; // prettier-ignore
    const seen = execFileSync('/bin/sh', ['-c', script], { env: other, encoding: 'utf8' }).split('\n');
    for (const [name, value] of Object.entries(env)) expect(seen).toContain(`${name}=${value}`);
    expect(seen.filter((line) => /^(CC|PYTHONPATH)=/.test(line))).toEqual([]);
  });
});

describe('opsKey', () => {
  const parts = {
    torch: '2.15.0',
    deepspeed: '0.19.8',
    python: '3.11.7',
    accelerator: 'cpu',
    cpu: { simd: 'avx512', isa: 'abcd1234' },
    compiler: 'g++ (Debian 12.2.0-14) 12.2.0',
    ninja: '1.13.2',
  } as const;

  it('names all that makes another build necessary', () => {
    expect(opsKey(parts)).toBe(
      'torch2.15.0-deepspeed0.19.8-py3.11-cpu-avx512-abcd1234-cxx12.2.0-ninja1.13.2',
    );
    const others = [
      { torch: '2.14.0' },
      { deepspeed: '0.18.0' },
      { python: '3.12.1' },
      { accelerator: 'cuda' as const },
      { cpu: { simd: 'avx2' as const, isa: 'abcd1234' } },
      { cpu: { simd: 'avx512' as const, isa: '00000000' } },
      { compiler: 'g++ 13.1.0' },
      { ninja: '1.11.1' },
    ];
    expect(new Set([parts, ...others.map((other) => ({ ...parts, ...other }))].map(opsKey)).size).toBe(9);
  });

  it("reads an op's flags out of its ninja file", () => {
    expect(opFlags('ninja_required_version = 1.3\ncxx = c++\n\ncflags = -O3 -march=native\n')).toBe(
      '-O3 -march=native',
    );
    expect(opFlags('')).toBeUndefined();
  });
});

describe('ninjaThatRefusesWork', () => {
  it('lets a finished build pass and stops one that would compile, without running it', () => {
    const directory = mkdtempSync(join(tmpdir(), "ninja it's "));
    // The real ninja's two answers to `-n`, decided by whether the output is there.
    const real = join(directory, 'real');
    writeFileSync(
      real,
      '#!/bin/sh\n[ "$1" = --version ] && echo 1.13 && exit\nif [ -e built ]; then echo "ninja: no work to do."; else echo "[1/1] c++ a.cpp"; fi\n',
    );
    const gate = join(directory, 'ninja');
    writeFileSync(gate, ninjaThatRefusesWork(real));
    for (const path of [real, gate]) chmodSync(path, 0o755);
    const run = (...args: string[]) =>
      execFileSync(gate, args, { cwd: directory, encoding: 'utf8', stdio: 'pipe' });
    expect(run('--version')).toBe('1.13\n');
    expect(() => run('-v')).toThrow(/compiled again inside a run/);
    writeFileSync(join(directory, 'built'), '');
    expect(run('-v')).toMatch(/no work to do/);
  });
});
