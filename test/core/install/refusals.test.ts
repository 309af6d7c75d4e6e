import { describe, expect, it } from 'vitest';
import { explainFailure } from '../../../src/core/install/failures.ts';
import type { PythonFacts } from '../../../src/core/stack/python.ts';
import { choosePython, rankOf } from '../../../src/core/stack/python.ts';
import { flagFaults, torchRefusal } from '../../../src/core/install/refusals.ts';
import { judge } from '../../../src/core/install/verification.ts';
import { python } from '../stack/sample-python.ts';

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
    [{ stack: 'fork' }, []],
    [{ stack: 'fork', deepspeed: '0.19.8' }, ['--deepspeed']],
    [{ stack: 'fork', python: '/p', with: ['apex'] }, ['--with', '--python']],
    [{ stack: 'fork', python: '/p', overlay: true, with: ['megatron'] }, []],
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
      ...{ nccl: null, cudnn: null },
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
    ['EOFError: marshal data too short', 'environment', /disk is full/],
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
