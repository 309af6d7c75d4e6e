import { describe, expect, it } from 'vitest';
import { unreadSettings } from '../../../src/core/model/unread-settings.ts';
import { sampleCase } from '../sample-case.ts';

const share = 'zero_optimization.offload_optimizer.cpuadam_cores_perc';

describe('unreadSettings', () => {
  it.each([
    ['prism_overlap', { 'superoffload.adam_threads': 2 }, 0, ['superoffload.adam_threads']],
    ['prism_overlap', { 'superoffload.bind_threads': false }, 0, ['superoffload.bind_threads']],
    ['prism_overlap', {}, 1, ['how often gradients are clipped']],
    ['prism', { [share]: 0.5 }, 0, [share]],
    ['prism', { 'zero_optimization.offload_optimizer': { cpuadam_cores_perc: 0.5 } }, 0, [share]],
    [
      'zero_offload',
      { 'superoffload.casts': 'fused', 'superoffload.adam_threads': 2 },
      0,
      ['superoffload.adam_threads'],
    ],
    // Of these a formula reads everything, or they change nothing.
    ['prism', { [share]: 0.8, 'superoffload.adam_threads': 2 }, 1, []],
    ['prism', { 'superoffload.optimizer': 'overlap', [share]: 0.5 }, 0, []],
    ['prism_overlap', { 'superoffload.adam_threads': 0, 'superoffload.fused_casts': false }, 0, []],
    ['zero_offload', { 'superoffload.bind_threads': false }, 1, []],
  ] as const)('%s with %j, clipping %d: %j', (mode, deepspeedOverrides, gradientClipping, unread) => {
    const subject = sampleCase({ mode, deepspeedOverrides, gradientClipping, ratio: 0.9 });
    expect(unreadSettings(subject)).toEqual(unread);
  });
});
