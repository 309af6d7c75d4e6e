/** The environment of every process of a stack: build, check and run see exactly the same one. */
import type { CpuFacts, GpuFacts } from '../machine/facts.ts';
import type { StackLock, StackOrigin } from './lock.ts';

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Variables of the caller that would change which code runs, or make torch rebuild an op: torch puts CXX into its
 * ninja file, and a changed command line rebuilds everything.
 */
const python = [
  'PYTHONPATH',
  'PYTHONHOME',
  'PYTHONSTARTUP',
  'PYTHONDONTWRITEBYTECODE',
  'PYTHONPYCACHEPREFIX',
  'PYTHONUSERBASE',
  'VIRTUAL_ENV',
  'CONDA_PREFIX',
  'CONDA_DEFAULT_ENV',
] as const;
const removed = [
  ...python,
  'CC',
  'CXX',
  'CFLAGS',
  'CXXFLAGS',
  'CPPFLAGS',
  'LDFLAGS',
  'DS_ACCELERATOR',
  'TORCH_CUDA_ARCH_LIST',
  'TORCH_EXTENSIONS_DIR',
  'MAX_JOBS',
] as const;

/** @returns the whole environment of a process of this stack: `baseEnv` less what would disturb it, plus the lock's. */
export function stackEnvironment(
  lock: Pick<StackLock, 'pathPrefix' | 'environment'>,
  baseEnv: Env,
): Record<string, string> {
  const kept = Object.entries(baseEnv).filter(
    (entry): entry is [string, string] =>
      entry[1] !== undefined &&
      !removed.some((name) => name === entry[0]) &&
      !entry[0].startsWith('DS_BUILD_'),
  );
  return { ...Object.fromEntries(kept), ...lock.environment, PATH: pathOf(lock, baseEnv['PATH']) };
}

/** What a script must export and unset so that a run sees its stack, whatever shell starts it. */
export interface ScriptEnvironment {
  readonly env: Readonly<Record<string, string>>;
  readonly unset: readonly string[];
}

/**
 * The same for a run's script, which is started again on another day and from another shell: nothing in it is a
 * difference to the environment of today. The accelerator is always said, since DeepSpeed would else choose one by
 * what it finds. DS_BUILD_* stay: they steer a build, and a run builds nothing.
 * @param path PATH of the caller, behind the stack's own folders.
 */
export function scriptEnvironment(
  lock: Pick<StackLock, 'pathPrefix' | 'environment'>,
  accelerator: 'cuda' | 'cpu',
  path: string | undefined,
): ScriptEnvironment {
  const env = { ...lock.environment, DS_ACCELERATOR: accelerator, PATH: pathOf(lock, path) };
  return { env, unset: removed.filter((name) => !(name in env)) };
}

function pathOf({ pathPrefix }: Pick<StackLock, 'pathPrefix'>, path: string | undefined): string {
  return [...pathPrefix, path ?? '/usr/local/bin:/usr/bin:/bin'].join(':');
}

export interface EnvironmentSpec {
  readonly origin: StackOrigin;
  readonly accelerator: 'cuda' | 'cpu';
  readonly gpus: readonly Pick<GpuFacts, 'computeCapability'>[];
  readonly cpu: Pick<CpuFacts, 'cores'>;
  readonly memoryBytes: number;
  readonly opsDirectory: string;
  /** Where bytecode of packages that are not ours goes: an adopted environment stays as it is. */
  readonly bytecodeDirectory: string;
  /** The C++ compiler that builds the ops. */
  readonly compiler: string;
  /** MAX_JOBS of the caller, who may know better. */
  readonly maxJobs: string | undefined;
  /** PYTHONPATH at install: a cluster's module may depend on it, so an adopted Python keeps it. */
  readonly pythonPath: string | undefined;
}

/** One compile of a torch extension takes about 2 GiB. */
const bytesPerCompileJob = 2 * 2 ** 30;

/** @returns what pip, uv and venv run with: the caller's, less what would send packages elsewhere. */
export function installerEnvironment(baseEnv: Env): Record<string, string> {
  const misleading = [
    'PIP_TARGET',
    'PIP_PREFIX',
    'PIP_USER',
    'PIP_ROOT',
    'UV_PYTHON',
    'UV_PROJECT_ENVIRONMENT',
  ];
  const unwanted: readonly string[] = [...python, ...misleading];
  return Object.fromEntries(
    Object.entries(baseEnv).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && !unwanted.includes(entry[0]),
    ),
  );
}

/** @returns the variables that `lock.environment` holds. */
export function fixedEnvironment(spec: EnvironmentSpec): Record<string, string> {
  const capabilities = [...new Set(spec.gpus.flatMap((gpu) => gpu.computeCapability ?? []))].sort();
  const jobs = Math.max(1, Math.min(spec.cpu.cores, Math.floor(spec.memoryBytes / bytesPerCompileJob)));
  return {
    PYTHONUNBUFFERED: '1',
    PYTHONNOUSERSITE: '1',
    TORCH_EXTENSIONS_DIR: spec.opsDirectory,
    CXX: spec.compiler,
    MAX_JOBS: /^[1-9]\d*$/.test(spec.maxJobs ?? '') ? (spec.maxJobs ?? '1') : String(jobs),
    ...(spec.origin !== 'private' && spec.pythonPath !== undefined && spec.pythonPath !== ''
      ? { PYTHONPATH: spec.pythonPath }
      : {}),
    ...(spec.origin === 'private' ? {} : { PYTHONPYCACHEPREFIX: spec.bytecodeDirectory }),
    ...(spec.accelerator === 'cpu'
      ? { DS_ACCELERATOR: 'cpu' }
      : {
          // torch's own list may hold '10.0a', on which DeepSpeed 0.19.8's op builder dies with a ValueError.
          ...(capabilities.length === 0 ? {} : { TORCH_CUDA_ARCH_LIST: capabilities.join(';') }),
          // Toolkit and torch may differ in the minor version; no CUDA op is compiled for these modes.
          DS_SKIP_CUDA_CHECK: '1',
        }),
  };
}
