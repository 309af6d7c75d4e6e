import { describe, expect, it } from 'vitest';
import { validateData } from '../../src/adapters/validate.ts';

const entry = { layers: 2, hidden: 64, source: 'a test' };

describe('validateData', () => {
  it('names every fault with its path and what was expected', () => {
    const data = {
      models: {
        none: { ...entry, layers: 0 },
        half: { ...entry, hidden: 64.5 },
        typo: { layer: 2, hidden: 64, source: 'a test' },
        text: { ...entry, layers: '2' },
      },
    };
    expect(validateData('model', data, 'model.json')).toEqual([
      { place: 'model.json /models/none/layers', problem: 'is 0: it must be >= 1' },
      { place: 'model.json /models/half/hidden', problem: 'is 64.5', expected: 'integer' },
      { place: 'model.json /models/typo/layers', problem: 'is missing' },
      {
        place: 'model.json /models/typo/layer',
        problem: 'is not a known key',
        expected: 'did you mean "layers"?',
      },
      { place: 'model.json /models/text/layers', problem: 'is "2"', expected: 'integer' },
    ]);
  });

  it('gives one fault for a choice, not one a branch', () => {
    const config = {
      zero_optimization: { stage: 7, overlap_comm: 'yes', offload_optimizer: { device: 'gpu' } },
    };
    expect(validateData('deepspeed-0.19.8', config, 'ds')).toEqual([
      { place: 'ds /zero_optimization/stage', problem: 'is 7', expected: '0, 1, 2, 3' },
      { place: 'ds /zero_optimization/overlap_comm', problem: 'is "yes"', expected: 'boolean or null' },
      {
        place: 'ds /zero_optimization/offload_optimizer/device',
        problem: 'is "gpu"',
        expected: '"none", "cpu", "nvme"',
      },
    ]);
  });

  it('knows what 0.18.0 had and 0.19.8 has not', () => {
    const config = { elasticity: {} };
    expect(validateData('deepspeed-0.18.0', config, 'ds')).toEqual([]);
    expect(validateData('deepspeed-0.19.8', config, 'ds')).toEqual([
      { place: 'ds /elasticity', problem: 'is not a known key' },
    ]);
  });

  it('takes no data that is not an object', () => {
    expect(validateData('model', [], 'model.json')).toEqual([
      { place: 'model.json', problem: 'is []', expected: 'object' },
    ]);
  });
});
