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
 * The smallest real measurement: every mode of the experiment that this machine can run, one chip, the smallest
 * size: seconds on CPU ranks, a minute a mode on a GPU.
 */
export function quickstartRequest(accelerator: 'cuda' | 'cpu', dryRun: boolean): ThroughputRequest {
  return {
    flags: { chips: 1, models: [accelerator === 'cuda' ? '1B' : 'tiny'], steps: quickstartSteps },
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
