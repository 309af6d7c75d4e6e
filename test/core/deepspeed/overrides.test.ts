import { describe, expect, it } from 'vitest';
import { validateDeepSpeedConfig } from '../../../src/adapters/validate.ts';
import { buildConfig } from '../../../src/core/deepspeed/build-config.ts';
import { applyOverrides, parseOverrides } from '../../../src/core/deepspeed/overrides.ts';
import { sampleCase } from '../sample-case.ts';

describe('parseOverrides', () => {
  it.each([
    ['a=1', { a: 1 }],
    ['a.b=true', { 'a.b': true }],
    ['a=1e8', { a: 1e8 }],
    ['a="text"', { a: 'text' }],
    ['a=text', { a: 'text' }],
    ['a=x=y', { a: 'x=y' }],
    ['a=', { a: '' }],
    ['a={"b":[1]}', { a: { b: [1] } }],
  ])('%s', (word, overrides) => {
    expect(parseOverrides([word])).toEqual({ ok: true, overrides });
  });

  it.each([
    ['sub_group_size', 'is not KEY=VALUE'],
    ['=1', 'is not KEY=VALUE'],
    ['a..b=1', 'is not KEY=VALUE'],
    ['train_batch_size=8', 'train_batch_size belongs to a flag'],
    ['zero_optimization.stage=1', 'zero_optimization.stage belongs to a flag'],
    [
      'zero_optimization.offload_optimizer.ratio=1',
      'zero_optimization.offload_optimizer.ratio belongs to a flag',
    ],
  ])('%s: %s', (word, problem) => {
    const result = parseOverrides([word]);
    expect(result.ok ? [] : result.faults).toEqual([
      { place: `--ds ${word}`, problem, expected: expect.any(String) as string },
    ]);
  });

  it('refuses a key given twice', () => {
    const result = parseOverrides(['a=1', 'a=2']);
    expect(result.ok ? '' : result.faults[0]?.problem).toBe('a is given twice');
  });
});

describe('applyOverrides', () => {
  it('makes missing sections and leaves its input alone', () => {
    const config = { a: { b: 1 } };
    expect(applyOverrides(config, { 'a.c': 2, 'd.e.f': 3 })).toEqual({
      a: { b: 1, c: 2 },
      d: { e: { f: 3 } },
    });
    expect(config).toEqual({ a: { b: 1 } });
  });

  it('leaves path and type to the keys that DeepSpeed knows', () => {
    const overrides = {
      'zero_optimization.sub_group_sise': 1,
      'zero_optimization.overlap_comm': 'maybe',
      'fp16.hysteresis': 1.5,
      dump_stat: true,
    };
    const config = buildConfig(sampleCase({ deepspeedOverrides: overrides }), {
      deepspeedVersion: '0.19.8',
      superOffload: 'key',
    });
    const { faults } = validateDeepSpeedConfig(config, '0.19.8', 'ds_config.json');
    expect(faults).toEqual(
      expect.arrayContaining([
        {
          place: 'ds_config.json /zero_optimization/sub_group_sise',
          problem: 'is not a known key',
          expected: 'did you mean "sub_group_size"?',
        },
        {
          place: 'ds_config.json /zero_optimization/overlap_comm',
          problem: 'is "maybe"',
          expected: 'boolean or null',
        },
        { place: 'ds_config.json /fp16/hysteresis', problem: 'is 1.5', expected: 'integer' },
        {
          place: 'ds_config.json /dump_stat',
          problem: 'is not a known key',
          expected: 'did you mean "dump_state"?',
        },
      ]),
    );
    expect(faults).toHaveLength(4);
  });
});
