import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validateDeepSpeedConfig } from '../../../src/adapters/validate.ts';
import { buildConfig, caseFaults } from '../../../src/core/deepspeed/build-config.ts';
import { modes } from '../../../src/core/deepspeed/modes/registry.ts';
import { knownVersions } from '../../../src/core/deepspeed/known-keys.ts';
import { dtypes, modeNames } from '../../../src/core/experiment/case.ts';
import { sampleCase } from '../sample-case.ts';
import { goldenCases } from './golden-cases.ts';

const options = { deepspeedVersion: '0.19.8', superOffload: 'key' } as const;

describe('buildConfig', () => {
  it.each(goldenCases())('$name', async ({ name, case: testCase }) => {
    expect(caseFaults(testCase)).toEqual([]);
    const text = `${JSON.stringify(buildConfig(testCase, options), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot(`../../golden/ds_config/${name}.json`);
  });

  it('knows every key, in every mode, precision and version', () => {
    for (const deepspeedVersion of [...knownVersions, '0.18.9', '0.19.3']) {
      for (const mode of modeNames) {
        // Its overlay is for 0.19.8 alone.
        if (mode === 'prism_overlap' && deepspeedVersion !== '0.19.8') continue;
        for (const dtype of dtypes) {
          const config = buildConfig(sampleCase({ mode, dtype }), { deepspeedVersion, superOffload: 'key' });
          expect(validateDeepSpeedConfig(config, deepspeedVersion, 'ds_config.json').faults).toEqual([]);
        }
      }
    }
  });

  it('keeps train_batch_size = micro x accumulation x ranks for any case without faults', () => {
    const size = fc.integer({ min: 1, max: 64 });
    fc.assert(
      fc.property(
        fc.constantFrom(...modeNames),
        size,
        size,
        size,
        fc.constantFrom(1, 2, 4),
        (mode, dataParallel, microBatch, accumulation, ranks) => {
          const sequenceParallel = modes[mode].sharesSequences ? 2 * ranks : ranks;
          const testCase = sampleCase({
            workload: 'megatron',
            mode,
            chips: dataParallel * sequenceParallel,
            sequenceParallel,
            microBatch,
            gradientAccumulation: accumulation,
            globalBatch: dataParallel * microBatch * accumulation,
          });
          expect(caseFaults(testCase)).toEqual([]);
          const config = buildConfig(testCase, options);
          expect(config['train_batch_size']).toBe(
            Number(config['train_micro_batch_size_per_gpu']) *
              Number(config['gradient_accumulation_steps']) *
              dataParallel,
          );
        },
      ),
    );
  });

  it('always says its clipping, and has no optimizer of its own', () => {
    for (const mode of modeNames) {
      const config = buildConfig(sampleCase({ mode }), options);
      expect(config).toHaveProperty('gradient_clipping', 0);
      expect(config).not.toHaveProperty('optimizer');
    }
  });

  it('lets --ds change one key and keeps the rest', () => {
    const overrides = { 'zero_optimization.sub_group_size': 1e8, 'comms_logger.enabled': true };
    const config = buildConfig(
      sampleCase({ mode: 'prism', ratio: 0.5, deepspeedOverrides: overrides }),
      options,
    );
    expect(config).toMatchObject({
      comms_logger: { enabled: true },
      zero_optimization: {
        stage: 3,
        sub_group_size: 1e8,
        reduce_bucket_size: 6e8,
        offload_optimizer: { ratio: 0.5, super_offload: true },
      },
    });
  });
});

describe('caseFaults', () => {
  const unsafe = sampleCase({ mode: 'prism', dtype: 'fp16', ratio: 0.9 });

  it('refuses prism in fp16 without clipping, and says why', () => {
    const [fault] = caseFaults(unsafe);
    expect(fault?.place).toBe('--dtype fp16');
    expect(fault?.problem).toContain('weights of 0 and NaN moments');
    expect(fault?.expected).toContain('--allow-unsafe');
  });

  it.each([
    ['--allow-unsafe', unsafe, true],
    ['clipping', { ...unsafe, gradientClipping: 1 }, false],
    ['--ds gradient_clipping', { ...unsafe, deepspeedOverrides: { gradient_clipping: 1 } }, false],
    ['bf16', sampleCase({ mode: 'prism', ratio: 0.9 }), false],
    ['another mode', sampleCase({ mode: 'zero_offload', dtype: 'fp16' }), false],
  ])('takes it with %s', (_why, testCase, allowUnsafe) => {
    expect(caseFaults(testCase, { allowUnsafe })).toEqual([]);
  });

  it('names a ratio and a batch that cannot be', () => {
    const faults = caseFaults(sampleCase({ mode: 'prism', ratio: 1.5, chips: 3 }));
    expect(faults.map((fault) => fault.place)).toEqual(['--global-batch', '--ratio']);
  });
});
