import { plainSite, unknownRates, type Case, type System } from '../../src/core/experiment/case.ts';
import { planCase, type PlanInputs } from '../../src/core/plan/plan-case.ts';
import type { RunPlan } from '../../src/core/plan/run-plan.ts';
import { sampleCase } from './sample-case.ts';

/** One H200 on a PCIe host. */
export function sampleSystem(change: Partial<System> = {}): System {
  return {
    name: 'h200',
    title: 'H200 (PCIe host)',
    accelerator: 'cuda',
    link: 'pcie',
    chipsPerNode: 1,
    gpuName: 'H200',
    gpuGiB: 139,
    hostGiB: 125,
    hostGiBPerChip: 125,
    peakTflops: 989,
    cores: 16,
    launcher: 'deepspeed',
    rates: unknownRates,
    site: plainSite,
    ...change,
  };
}

/** A plan as the workflow makes it, with fixed paths and port. */
export function samplePlan(change: Partial<Case> = {}, inputs: Partial<PlanInputs> = {}): RunPlan {
  return planCase(sampleCase(change), {
    system: sampleSystem(),
    stack: { name: 'pip', hash: 'abc123', torch: '2.15.0', deepspeed: '0.19.8' },
    python: '/stack/venv/bin/python',
    stackEnvironment: { env: { TORCH_EXTENSIONS_DIR: '/stack/ops' }, unset: ['PYTHONPATH'] },
    trainer: '/package/experiment/trainer',
    megatron: '/stack/src/megatron',
    syntheticData: '/home/datasets/synthetic/text',
    deepspeedConfig: { train_batch_size: 8 },
    port: 29517,
    schedule: null,
    launcher: null,
    bindCores: false,
    gpuIndices: null,
    maxError: 0.02,
    limits: {},
    ...inputs,
  });
}
