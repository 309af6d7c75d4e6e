/** Apex: built where a matching CUDA toolkit is, the overlay elsewhere. Decided before anything is compiled. */
import { apexBuildSteps, apexVerifyStep, pipVersionMissing } from './steps.ts';
import type { ApexBuildFacts, CudaToolkit } from './facts.ts';
import type { ApexFlag } from '../lock.ts';
import type { PlainStep } from '../../install/steps.ts';
import { versionOrder } from '../version.ts';

export type ApexDecision =
  /** `steps` build and prove `extensions`; none are built where an Apex is there already. */
  | { readonly kind: 'build'; readonly steps: readonly PlainStep[]; readonly extensions: readonly string[] }
  | { readonly kind: 'overlay'; readonly reason: string }
  /** `--apex build` cannot be had: exit 3, before anything is compiled. */
  | { readonly kind: 'refusal'; readonly message: string; readonly hint: string };

interface Obstacle {
  readonly message: string;
  readonly hint: string;
}

/** What Megatron-DeepSpeed imports: an Apex that has these needs not be built again. */
const neededExtensions = ['amp_C', 'fused_layer_norm_cuda'] as const;

/**
 * Chooses between a build and the overlay. Called before anything is fetched (`source` null: what the machine allows),
 * and again with the tree at hand (what that Apex allows).
 */
export function chooseApex(flag: ApexFlag, facts: ApexBuildFacts): ApexDecision {
  if (flag === 'overlay') return { kind: 'overlay', reason: 'asked for' };
  const { present } = facts;
  if (present !== null && neededExtensions.every((name) => present.includes(name))) {
    return { kind: 'build', steps: [apexVerifyStep(facts, present)], extensions: present };
  }
  const toolkit = matchingToolkit(facts);
  const obstacles = [...machineObstacles(facts), ...sourceObstacles(facts, toolkit)];
  if (obstacles.length === 0 && toolkit !== undefined) {
    const extensions = facts.source?.extensions ?? [];
    return { kind: 'build', steps: apexBuildSteps({ ...facts, toolkit }), extensions };
  }
  if (flag === 'auto') return { kind: 'overlay', reason: obstacles.map(({ message }) => message).join('; ') };
  return {
    kind: 'refusal',
    message: ['Apex cannot be built here:', ...obstacles.map(({ message }) => `- ${message}`)].join('\n'),
    hint: [
      ...new Set(obstacles.map(({ hint }) => hint)),
      "or leave --apex out: Megatron then uses plain torch in Apex's place",
    ].join('\n'),
  };
}

/**
 * Apex compares the release of nvcc with torch.version.cuda, minor version included, and refuses any difference
 * (setup.py, check_cuda_torch_binary_vs_bare_metal; the same from 23.05-devel to its master of 2026).
 */
function matchingToolkit({ toolkits, torch }: ApexBuildFacts): CudaToolkit | undefined {
  return toolkits.find(({ version }) => version !== null && version === torch.cuda);
}

function machineObstacles(facts: ApexBuildFacts): Obstacle[] {
  const { torch, toolkits, accelerator } = facts;
  const obstacles: Obstacle[] = [];
  if (facts.origin === 'adopted') {
    const message = 'nothing is installed into an adopted Python';
    obstacles.push({ message, hint: 'add --overlay, which puts it into an environment of its own' });
  }
  if (accelerator === 'cpu') {
    const message = 'this stack is for the CPU, and the extensions run on a GPU';
    const hint = 'install on a machine whose GPU works: see `superoffload doctor`';
    return [...obstacles, { message, hint }];
  }
  if (torch.cuda === null) {
    const message = `torch ${torch.version} is built without CUDA`;
    return [...obstacles, { message, hint: 'install a torch with CUDA' }];
  }
  if (matchingToolkit(facts) === undefined) obstacles.push(toolkitObstacle(torch.cuda, toolkits));
  if (pipVersionMissing(facts)) {
    const message = 'pip does not say its version, on which the way to ask for the extensions depends';
    obstacles.push({ message, hint: 'install uv, which is used where it is there' });
  }
  return obstacles;
}

function toolkitObstacle(torchCuda: string, toolkits: readonly CudaToolkit[]): Obstacle {
  const get = `install CUDA toolkit ${torchCuda} and set CUDA_HOME to it`;
  const [first] = toolkits;
  if (first === undefined) return { message: 'no CUDA toolkit (nvcc) is here', hint: get };
  const listed = toolkits.map(({ home, version }) => `${version ?? 'of an unknown version'} in ${home}`);
  const isMinor = first.version?.split('.')[0] === torchCuda.split('.')[0];
  const why = isMinor ? ', and Apex refuses another minor version too' : '';
  return {
    message: `torch is built for CUDA ${torchCuda}, and the toolkit is ${listed.join(', ')}${why}`,
    hint: `${get}, or install a torch that is built for the toolkit (--torch)`,
  };
}

/** nvcc 13 has dropped what is older than Turing: `Unsupported gpu architecture 'compute_70'`. */
const oldestOfCuda13 = 75;

function sourceObstacles({ source, torch }: ApexBuildFacts, toolkit: CudaToolkit | undefined): Obstacle[] {
  if (source === null) return [];
  const newer = 'choose a newer Apex: --ref apex=master';
  const obstacles: Obstacle[] = [];
  const old = source.fixedArchitectures.filter((architecture) => architecture < oldestOfCuda13);
  const nvcc = toolkit?.version ?? '0';
  if (versionOrder(nvcc, '13') >= 0 && old.length > 0) {
    const message = `this Apex always builds for compute_${old.join(', compute_')}, which nvcc ${nvcc} refuses`;
    obstacles.push({ message, hint: newer });
  }
  if (source.usesTensorType && versionOrder(torch.version, '2.6') >= 0) {
    const message = `this Apex hands tensor.type() to torch's macros, which torch ${torch.version} does not take`;
    obstacles.push({ message, hint: newer });
  }
  if (source.extensions.length === 0) {
    const message = 'setup.py of this Apex names no extension for --cpp_ext and --cuda_ext';
    obstacles.push({ message, hint: newer });
  }
  return obstacles;
}
