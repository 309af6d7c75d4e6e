import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseNvccVersion } from '../../../../src/core/machine/nvcc.ts';
import { judgeApex, parseApexCheck } from '../../../../src/core/stack/apex/check.ts';
import { readApexSource } from '../../../../src/core/stack/apex/source.ts';

describe('what is read', () => {
  it.each(['11.0', '12.4', '13.0'])('nvcc %s', (version) => {
    const path = join(import.meta.dirname, `../../../fixtures/nvcc/${version}.txt`);
    expect(parseNvccVersion(readFileSync(path, 'utf8'))).toBe(version);
  });

  it.each(['', 'nvcc fatal : unknown', 'prerelease 12.4x'])('no version in %j', (text) => {
    expect(parseNvccVersion(text)).toBeNull();
  });

  it('setup.py: only the blocks of the two flags', () => {
    const setup = [
      'if "--cpp_ext" in sys.argv or "--cuda_ext" in sys.argv:',
      '    check()',
      'if "--cpp_ext" in sys.argv:',
      '    add(CppExtension("one", []))',
      'if "--other" in sys.argv:',
      '    add(CUDAExtension(name="two", sources=[]))',
      '    flags.append("arch=compute_60,code=sm_60")',
      'if has_flag("--cuda_ext", "APEX_CUDA_EXT"):',
      '    add(',
      "        CUDAExtension(name='three', sources=[]),",
      '    )',
      '    if nvcc >= 11:',
      '        add(CUDAExtension(',
      '            name = "four", flags=["arch=compute_70,code=sm_70"]))',
      'setup(name="apex")',
    ].join('\n');
    expect(readApexSource(setup, '')).toEqual({
      extensions: ['one', 'three', 'four'],
      ...{ readsVariables: true, fixedArchitectures: [70], usesTensorType: false },
    });
    expect(readApexSource('', '')).toMatchObject({ extensions: [], readsVariables: false });
  });

  it('check_apex.py', () => {
    const check = {
      torch: '2',
      apex: '/a/__init__.py',
      problem: null,
      files: { amp_C: '/a.so' },
      failed: {},
    };
    const parsed = parseApexCheck(`noise\nSUPEROFFLOAD ${JSON.stringify(check)}\n`);
    expect(parsed).toEqual(check);
    expect(parseApexCheck('noise')).toBeUndefined();
    expect(judgeApex(check, ['amp_C'])).toBeUndefined();
    const failed = { apex_C: 'ImportError: undefined symbol' };
    expect(judgeApex({ ...check, failed }, ['amp_C', 'apex_C', 'syncbn'])?.message).toBe(
      [
        'Apex does not have what its build promised:',
        '- apex_C: ImportError: undefined symbol',
        '- syncbn: was not tried',
      ].join('\n'),
    );
    expect(judgeApex({ ...check, apex: null, problem: 'no module' }, ['amp_C'])?.message).toContain(
      '- apex: no module',
    );
    expect(judgeApex(check, [])).toBeDefined();
  });
});

const sources = join(process.env['SUPEROFFLOAD_TEST_SOURCES'] ?? '', 'apex');
const hasSources = process.env['SUPEROFFLOAD_TEST_SOURCES'] !== undefined && existsSync(sources);

describe.skipIf(!hasSources)('real setup.py files (skipped without SUPEROFFLOAD_TEST_SOURCES/apex)', () => {
  const show = (ref: string, path: string): string =>
    execFileSync('git', ['-C', sources, 'show', `${ref}:${path}`], { encoding: 'utf8' });
  const isThere = (ref: string): boolean =>
    spawnSync('git', ['-C', sources, 'cat-file', '-e', `${ref}:setup.py`]).status === 0;
  const core = [
    ...['apex_C', 'amp_C', 'syncbn', 'fused_layer_norm_cuda', 'mlp_cuda', 'fused_dense_cuda'],
    ...['scaled_upper_triang_masked_softmax_cuda', 'generic_scaled_masked_softmax_cuda'],
    ...['scaled_masked_softmax_cuda', 'scaled_softmax_cuda'],
  ];
  const rotary = 'fused_rotary_positional_embedding';
  const wgrad = 'fused_weight_gradient_mlp_cuda';

  it.for<[string, string[], boolean, number[], boolean]>([
    // 23.05-devel, the branch that the published artifact names.
    ['0da3ffb92ee6fbe5336602f0e3989db1cd16f880', [...core, wgrad], false, [70, 80, 86, 90], true],
    ['24.04.01', [...core, rotary, wgrad], false, [70, 80, 86, 90], true],
    ['25.08', [...core, rotary, wgrad], false, [70, 80, 86, 90, 100, 120], false],
    ['25.09', [...core, rotary, wgrad], true, [70, 80, 86, 90, 100, 120], false],
    // The master of early 2026.
    ['6424da3b', [...core, rotary, wgrad], true, [], false],
  ])('%s', ([ref, extensions, readsVariables, fixedArchitectures, usesTensorType], { skip }) => {
    skip(!isThere(ref), `${ref} is not in this copy of Apex`);
    expect(readApexSource(show(ref, 'setup.py'), show(ref, 'csrc/mlp.cpp'))).toEqual({
      ...{ extensions, readsVariables, fixedArchitectures, usesTensorType },
    });
  });
});
