/** What an install refuses, each with what to do about it. */
import type { MachineFacts } from '../machine/facts.ts';
import { versionOrder } from '../stack/version.ts';
import { stackNames } from '../stack/lock.ts';
import type { ApexFlag } from '../stack/lock.ts';
import type { PythonFacts } from '../stack/python.ts';
import { newestSeenPython, oldestPython, rankOf } from '../stack/python.ts';
import type { Requirement } from './requirements.ts';
import type { Fault } from '../../errors.ts';

export const oldestDeepspeed = '0.18';

interface Refusal {
  readonly message: string;
  readonly hint: string;
}

export interface InstallFlags {
  readonly stack: string;
  readonly python: string | undefined;
  readonly torch: string | undefined;
  readonly deepspeed: string | undefined;
  readonly offline: boolean;
  readonly findLinks: string | undefined;
  readonly overlay: boolean;
  /** What to add: `megatron`. The fork has it always. */
  readonly with?: readonly string[] | undefined;
  /** `NAME=URL|PATH` and `NAME=REF`. */
  readonly sources?: readonly string[] | undefined;
  readonly refs?: readonly string[] | undefined;
  readonly apex?: ApexFlag | undefined;
}

/** What `--with` takes. */
export const additions = ['megatron'] as const;

/** All faults of the flags at once. */
export function flagFaults(flags: InstallFlags): Fault[] {
  const faults: Fault[] = [];
  if (!stackNames.some((name) => name === flags.stack)) {
    const problem = `no stack is named '${flags.stack}'`;
    faults.push({ place: '--stack', problem, expected: stackNames.join(', ') });
  }
  for (const name of (flags.with ?? []).filter((each) => !additions.some((known) => known === each))) {
    faults.push({ place: '--with', problem: `there is no '${name}' to add`, expected: additions.join(', ') });
  }
  if (flags.overlay && flags.python === undefined) {
    faults.push({ place: '--overlay', problem: 'over which Python?', expected: '--python P with it' });
  }
  if (flags.offline && flags.findLinks === undefined && (flags.python === undefined || flags.overlay)) {
    faults.push({
      place: '--offline',
      problem: 'no folder to install from',
      expected: '--find-links DIR with it',
    });
  }
  return [...faults, ...forkFaults(flags), ...versionFaults(flags), ...adoptionFaults(flags)];
}

function forkFaults({ stack, deepspeed, python, overlay }: InstallFlags): Fault[] {
  if (stack !== 'fork') return [];
  const version =
    deepspeed === undefined
      ? []
      : [
          {
            place: '--deepspeed',
            problem: 'the fork stack has DeepSpeed from its repository',
            expected: '--ref deepspeed=BRANCH, TAG or COMMIT',
          },
        ];
  if (python === undefined || overlay) return version;
  const problem = `nothing is installed into ${python}, so Python cannot import the fork's DeepSpeed`;
  return [...version, { place: '--python', problem, expected: '--overlay with it' }];
}

function versionFaults(flags: InstallFlags): Fault[] {
  return (['torch', 'deepspeed'] as const).flatMap((name): Fault[] => {
    const version = flags[name];
    if (version === undefined) return [];
    if (!/^\d+(\.\d+)+([.+\w]*)$/.test(version)) {
      return [
        { place: `--${name}`, problem: `'${version}' is not a version`, expected: 'for example 2.15.0' },
      ];
    }
    if (name === 'torch' || versionOrder(version, oldestDeepspeed) >= 0) return [];
    const problem = `${version} has no SuperOffload`;
    return [{ place: '--deepspeed', problem, expected: `${oldestDeepspeed} or newer` }];
  });
}

function adoptionFaults({ python, overlay, torch, deepspeed }: InstallFlags): Fault[] {
  if (python === undefined) return [];
  if (overlay) {
    if (torch === undefined) return [];
    const problem = 'an overlay uses the torch that is already there';
    return [{ place: '--torch', problem, expected: 'no --torch with --overlay' }];
  }
  return Object.entries({ torch, deepspeed }).flatMap(([name, version]) =>
    version === undefined
      ? []
      : [
          {
            place: `--${name}`,
            problem: `nothing is installed into ${python}`,
            expected: '--overlay, or no version',
          },
        ],
  );
}

/** Why this Python cannot carry a stack; undefined when it can. */
export function pythonRefusal(python: PythonFacts): Refusal | undefined {
  const hint = `use Python ${oldestPython} to ${newestSeenPython}: superoffload install --python PATH`;
  if (rankOf(python.version) === 'too old') {
    return {
      message: `${python.path} is Python ${python.version}; ${oldestPython} is the oldest that works`,
      hint,
    };
  }
  if (!python.is64Bit) return { message: `${python.path} is a 32-bit Python; torch has none`, hint };
  if (python.hasHeaders) return undefined;
  return {
    message: `${python.path} has no Python.h, and DeepSpeed's CPU optimizer must be compiled`,
    hint: 'install the headers (Debian, Ubuntu: python3-dev; Fedora, RHEL: python3-devel), or use another --python',
  };
}

/** @param withMegatron some of them are Megatron's. */
export function describeMissing(
  python: PythonFacts,
  missing: readonly Requirement[],
  withMegatron = false,
): Refusal {
  const list = missing.map(({ name, version }) => `${name} (${version} is known to work)`).join(', ');
  return {
    message: `${python.path} lacks ${list}`,
    hint:
      'nothing is ever installed into an adopted environment; to add them in a private one over it:\n' +
      `superoffload install --python ${python.path} --overlay${withMegatron ? ' --with megatron' : ''}`,
  };
}

/**
 * A GPU that torch cannot use is refused before anything is compiled.
 * @param torch what the environment has. On aarch64 the default wheel of older torch versions is CPU-only.
 */
export function torchRefusal(
  torch: { readonly version: string; readonly cuda: string | null } | null,
  python: Pick<PythonFacts, 'path' | 'machine'>,
  accelerator: 'cuda' | 'cpu',
): Refusal | undefined {
  if (torch === null) {
    return {
      message: `${python.path} has no torch`,
      hint: 'without --python, superoffload install fetches one; or name a Python that has torch',
    };
  }
  if (accelerator === 'cpu' || torch.cuda !== null) return undefined;
  const where =
    python.machine === 'aarch64'
      ? "install a torch built with CUDA for aarch64 (PyTorch's own CUDA wheels, your site's module, or a vendor container)"
      : 'install a torch built with CUDA';
  return {
    message: `this machine has a GPU, but torch ${torch.version} is built without CUDA`,
    hint: `${where}, then: superoffload install --python PATH --overlay\nto use the CPU on purpose, set DS_ACCELERATOR=cpu`,
  };
}

/** torch.cuda.is_available() is false although the build has CUDA: nearly always the driver. */
export function driverRefusal(cuda: string, machine: Pick<MachineFacts, 'gpus'>): Refusal {
  const driver = machine.gpus[0]?.driverVersion ?? 'unknown';
  return {
    message: `torch is built for CUDA ${cuda}, but cannot use the GPU with driver ${driver}`,
    hint: 'update the driver, or install an older torch: superoffload install --reinstall --torch V',
  };
}
