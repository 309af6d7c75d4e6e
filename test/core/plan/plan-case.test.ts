import { describe, expect, it } from 'vitest';
import { caseIdOf } from '../../../src/core/experiment/case-id.ts';
import { sampleCase } from '../sample-case.ts';
import { samplePlan, sampleSystem } from '../sample-plan.ts';

describe('planCase', () => {
  it('takes python alone for one chip, the system launcher for more, and what was asked for first', () => {
    const first = (plan: ReturnType<typeof samplePlan>): string | undefined => plan.command[2];
    expect(first(samplePlan())).toBe('/package/experiment/trainer/train.py');
    expect(first(samplePlan({ chips: 2 }))).toBe('deepspeed.launcher.runner');
    expect(first(samplePlan({ chips: 2 }, { system: sampleSystem({ launcher: 'torchrun' }) }))).toBe(
      'torch.distributed.run',
    );
    expect(first(samplePlan({}, { launcher: 'deepspeed' }))).toBe('deepspeed.launcher.runner');
  });

  it.each([
    [1, 16, '16'],
    [4, 16, '4'],
    [3, 16, '5'],
    [4, 2, '1'],
  ])('gives each of %i ranks its share of %i cores: %s threads', (chips, cores, threads) => {
    const plan = samplePlan({ chips }, { system: sampleSystem({ cores }) });
    expect(plan.env['OMP_NUM_THREADS']).toBe(threads);
  });

  it('carries what decides the run into the plan', () => {
    const plan = samplePlan(
      { steps: 7 },
      { limits: { timeoutMs: 5 }, system: sampleSystem({ accelerator: 'cpu' }) },
    );
    expect(plan).toMatchObject({
      schemaVersion: 1,
      caseId: caseIdOf(sampleCase({ steps: 7 })),
      functional: true,
      worldSize: 1,
      steps: 7,
      maxError: 0.02,
      limits: { timeoutMs: 5, minStallMs: 120_000 },
      files: { 'ds_config.json': '{\n  "train_batch_size": 8\n}\n' },
    });
  });

  it('says in one line what a person wants to know', () => {
    expect(
      samplePlan({ microBatch: 2, gradientAccumulation: 4, chips: 2, activationCheckpointing: true }).title,
    ).toBe('zero_offload, 2B, 2 chips, batch 8 (micro 2 x 4), sequence 1024, bf16, recompute');
  });
});
