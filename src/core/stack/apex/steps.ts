/** The commands that build Apex with its C++ and CUDA extensions, and prove it. */
import type { ApexBuildFacts, CudaToolkit } from './facts.ts';
import type { PlainStep } from '../../install/steps.ts';
import { versionOrder } from '../version.ts';

/**
 * One compile of a file of Apex took 2.0 GiB here (g++ 12, torch 2.15: the headers of torch, which every file
 * includes). nvcc runs such a compile and its own passes, one after the other: 3 GiB a job leaves room.
 */
const bytesPerJob = 3 * 2 ** 30;

type StepFacts = ApexBuildFacts & { readonly toolkit: CudaToolkit };

export function apexBuildSteps(facts: StepFacts): PlainStep[] {
  const asked = askFor(facts);
  return [
    // Objects of another torch or toolkit: ninja would keep them.
    {
      kind: 'remove',
      id: 'apex-clean',
      title: 'remove what an earlier build of Apex left',
      path: `${facts.directory}/build`,
    },
    {
      kind: 'command',
      id: 'apex-build',
      title: `build Apex with CUDA ${facts.toolkit.version ?? ''}`,
      command: [...installCommand(facts), ...asked.args, facts.directory],
      environment: 'stack',
      variables: { ...pipVariables(facts), ...buildVariables(facts), ...asked.variables },
    },
    ...(facts.source === null ? [] : [apexVerifyStep(facts, facts.source.extensions)]),
  ];
}

export function apexVerifyStep(
  { python, checkProgram }: Pick<ApexBuildFacts, 'python' | 'checkProgram'>,
  extensions: readonly string[],
): PlainStep {
  return {
    kind: 'command',
    id: 'apex-verify',
    title: `import Apex's ${extensions.length} extensions`,
    command: [python, checkProgram, ...extensions],
    environment: 'stack',
  };
}

/** pip's syntax depends on its version; uv's does not, and a new Apex reads variables. */
export function pipVersionMissing({ installer, pipVersion, source }: ApexBuildFacts): boolean {
  return installer.kind === 'pip' && pipVersion === null && source?.readsVariables !== true;
}

/**
 * Never from a cache (a wheel of Apex 0.1 may be for any torch), nothing else touched, and torch as it is here:
 * Apex's setup.py imports it. pip reads no PIP_* variable and no configuration of the user's.
 */
function installCommand({ installer, python }: StepFacts): string[] {
  if (installer.kind === 'uv') {
    const own = ['--no-cache', '--offline', '--reinstall-package', 'apex'];
    return [
      ...[...installer.command, 'pip', 'install', '--python', python],
      ...[...own, '--no-deps', '--no-build-isolation'],
    ];
  }
  const quiet = ['--no-input', '--disable-pip-version-check'];
  return [
    ...[python, '-m', 'pip', '--isolated', 'install', '-v', ...quiet],
    ...['--no-cache-dir', '--force-reinstall', '--no-deps', '--no-build-isolation'],
  ];
}

interface Asked {
  readonly args: readonly string[];
  readonly variables?: Readonly<Record<string, string>>;
}

const flags = ['--cpp_ext', '--cuda_ext'] as const;

/**
 * How the extensions are asked for: by variables where Apex reads them (its README: recommended), else by options,
 * whose names follow the installer. Each was tried, with --cpp_ext, on 23.05-devel or master:
 * uv 0.13.9; pip 23.0.1 (`--global-option`, which 26.3 has no more); pip 23.1, 25.2 and 26.3 (`--config-settings`, of
 * which pip before 23.1 keeps only the last). Without --use-pep517, pip 23.1 ignores the settings of a tree that has no
 * pyproject.toml, as 23.05-devel, and installs Apex without any extension, exit status 0.
 */
function askFor({ installer, pipVersion, source }: StepFacts): Asked {
  if (source?.readsVariables === true) {
    return { args: [], variables: { APEX_CPP_EXT: '1', APEX_CUDA_EXT: '1' } };
  }
  if (installer.kind === 'uv')
    return { args: flags.map((flag) => `--config-setting=--build-option=${flag}`) };
  if (pipVersion !== null && versionOrder(pipVersion, '23.1') < 0) {
    return { args: flags.map((flag) => `--global-option=${flag}`) };
  }
  return { args: ['--use-pep517', ...flags.map((flag) => `--config-settings=--build-option=${flag}`)] };
}

function pipVariables({ installer }: StepFacts): Record<string, string> {
  return installer.kind === 'pip' && typeof installer.from !== 'string'
    ? { PYTHONPATH: installer.from.wheel }
    : {};
}

function buildVariables({ toolkit, capabilities, cores, memoryBytes, maxJobs }: StepFacts) {
  const jobs = Math.max(1, Math.min(cores, Math.floor(memoryBytes / bytesPerJob)));
  const architectures = [...new Set(capabilities)].sort((a, b) => versionOrder(a, b));
  return {
    CUDA_HOME: toolkit.home,
    MAX_JOBS: /^[1-9]\d*$/.test(maxJobs ?? '') ? (maxJobs ?? '1') : String(jobs),
    // For the GPUs that are here: setup.py would else leave it to torch.
    ...(architectures.length === 0 ? {} : { TORCH_CUDA_ARCH_LIST: architectures.join(';') }),
  };
}
