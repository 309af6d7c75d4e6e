import type { ThroughputRequest } from './throughput/plan-throughput.ts';
import type { InstallOptions } from './install/install.ts';

/** Enough for one stable stop: 20 steps behind the warm-up, which takes up to half of what there is. */
const quickstartSteps = 40;

/** The stack that quickstart installs, and where a Python is given, over it. */
export function quickstartInstall(python: string | undefined, dryRun: boolean): InstallOptions {
  return {
    stack: 'pip',
    python,
    overlay: python !== undefined,
    torch: undefined,
    deepspeed: undefined,
    offline: false,
    findLinks: undefined,
    reinstall: false,
    dryRun,
  };
}

/**
 * On a GPU the modes of the paper's figure, and beside SuperOffload as published this project's own, which the figure
 * has not: who meets the tool sees both before he concludes anything of the method. The CPU part of the experiment
 * has it anyway.
 */
const gpuModes = ['prism', 'prism_overlap', 'zero_offload', 'zero_infinity', 'ddp'] as const;

/**
 * The smallest real measurement: one chip, the smallest size: seconds on CPU ranks, a minute a mode on a GPU.
 * @param hasOverlay whether the stack can run prism_overlap: one with another DeepSpeed may be there already.
 */
export function quickstartRequest(
  accelerator: 'cuda' | 'cpu',
  { dryRun, hasOverlay }: { readonly dryRun: boolean; readonly hasOverlay: boolean },
): ThroughputRequest {
  const modes = gpuModes.filter((mode) => hasOverlay || mode !== 'prism_overlap');
  return {
    flags: {
      ...{ chips: 1, models: [accelerator === 'cuda' ? '1B' : 'tiny'], steps: quickstartSteps },
      ...(accelerator === 'cuda' ? { modes } : {}),
    },
    system: 'local',
    stack: 'pip',
    launcher: null,
    bindCores: false,
    scheduling: {},
    maxError: 0.05,
    limits: {},
    configFile: null,
    command: null,
    dryRun,
    allowDrift: false,
  };
}
