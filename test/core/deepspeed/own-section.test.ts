import { describe, expect, it } from 'vitest';
import { ownSectionFaults } from '../../../src/core/deepspeed/own-section.ts';

const cpu = { device: 'cpu' };
const stage2 = { zero_optimization: { stage: 2, offload_optimizer: cpu } };
const stage3 = { zero_optimization: { stage: 3, offload_optimizer: cpu } };

function faults(config: object, section: object): string[] {
  const found = ownSectionFaults({ ...config, superoffload: section }, 'x.json');
  return found.map(({ place, problem, expected }) => `${place} ${problem}: ${expected ?? ''}`);
}

describe('the section superoffload of a DeepSpeed JSON', () => {
  it('may ask for what the stage can have', () => {
    expect(ownSectionFaults(stage2, 'x.json')).toEqual([]);
    expect(faults(stage2, { casts: 'fused', host_memory: 'registered', adam_threads: 4 })).toEqual([]);
    expect(faults(stage3, { host_memory: 'registered' })).toEqual([]);
    expect(faults(stage3, { optimizer: 'overlap', speculation: 0, bind_threads: false })).toEqual([]);
    const old = { zero_optimization: { stage: 2, cpu_offload: true } };
    expect(faults(old, { casts: 'fused', host_memory: 'registered' })).toEqual([]);
    expect(faults({ zero_optimization: { stage: 0 } }, { casts: 'published' })).toEqual([]);
  });

  it.each([
    ['0.19.8', []],
    ['0.19.6', ['casts fused needs DeepSpeed 0.19.8 or later, and the stack has 0.19.6']],
    [
      '0.18.0',
      [
        'host_memory registered needs DeepSpeed 0.19.6 or later, and the stack has 0.18.0',
        'casts fused needs DeepSpeed 0.19.8 or later, and the stack has 0.18.0',
      ],
    ],
  ])('may ask DeepSpeed %s for what is hooked there alone', (version, expected) => {
    const config = { ...stage2, superoffload: { casts: 'fused', host_memory: 'registered' } };
    const found = ownSectionFaults(config, 'x.json', version);
    expect(found.map(({ place, problem }) => `${place} ${problem}`)).toEqual(
      expected.map((text) => `x.json /superoffload/${text}`),
    );
  });

  it('says what is asked for in vain, and where it belongs', () => {
    expect(faults(stage3, { casts: 'fused' })).toEqual([
      'x.json /superoffload/casts is for ZeRO-2 with its optimizer on the CPU: --mode zero_offload',
    ]);
    expect(faults(stage3, { optimizer: 'overlap', casts: 'fused' })[0]).toContain('superoffload.fused_casts');
    expect(
      faults({ zero_optimization: { stage: 2 } }, { host_memory: 'registered', casts: 'fused' }),
    ).toEqual([
      'x.json /superoffload/casts is for ZeRO-2 with its optimizer on the CPU: --mode zero_offload',
      'x.json /superoffload/host_memory has no effect here: a mode that keeps something on the CPU',
    ]);
    expect(faults(stage2, { speculation: 0, adam_threads: 4 })).toEqual([
      'x.json /superoffload/speculation has no effect here: --mode prism_overlap',
      'x.json /superoffload/adam_threads has no effect here: --mode prism_overlap, or --ds superoffload.casts=fused',
    ]);
  });
});
