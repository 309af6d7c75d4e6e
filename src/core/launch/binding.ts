import type { Fault } from '../../errors.ts';
import type { BindingName, LauncherName, System } from '../experiment/case.ts';

/** What holds the ranks of a run to their cores and memory: the same for every rank and node. */
export interface NodeBinding {
  readonly binding: BindingName;
  readonly ranksPerNode: number;
  /** Cores of a node that the run may use; rank i gets the i-th part of them. */
  readonly cores: number;
  /** Cores of a node. */
  readonly nodeCores: number;
  /** NUMA nodes that the run's host memory comes from; null takes any. */
  readonly hostNumaNodes: readonly number[] | null;
}

/** One rank of it. */
export interface RankBinding extends Omit<NodeBinding, 'nodeCores'> {
  /** Its rank on its node: a number, a placeholder of run.sh, or null where it is in LOCAL_RANK once it starts. */
  readonly localRank: number | string | null;
}

interface BindingRequest {
  readonly launcher: LauncherName;
  readonly ranksPerNode: number;
  /** `--exclusive-host`: cores and memory of the whole node. */
  readonly exclusiveHost: boolean;
  /** `--bind-cores`: also where the system does not ask for it. */
  readonly bindCores: boolean;
}

/**
 * How a system's ranks are bound under a launcher. A run on fewer chips than the node has keeps to their share of its
 * cores and NUMA nodes, as {@link hostGiBFor} keeps to their share of its memory. What another launcher would do
 * itself, numactl does: it works under each.
 */
export function nodeBinding(
  system: Pick<System, 'chipsPerNode' | 'cores' | 'site'>,
  { launcher, ranksPerNode, exclusiveHost, bindCores }: BindingRequest,
): NodeBinding {
  const asked = system.site.binding;
  const own = asked === 'none' && bindCores ? ownBinding(launcher) : asked;
  const binding = (own === 'deepspeed' || own === 'srun') && own !== launcher ? 'numactl' : own;
  const share = exclusiveHost ? 1 : Math.min(1, ranksPerNode / system.chipsPerNode);
  const { hostNumaNodes } = system.site;
  return {
    binding,
    ranksPerNode,
    cores: Math.max(1, Math.floor(system.cores * share)),
    nodeCores: system.cores,
    hostNumaNodes: hostNumaNodes?.slice(0, Math.ceil(hostNumaNodes.length * share)) ?? null,
  };
}

function ownBinding(launcher: LauncherName): BindingName {
  return launcher === 'deepspeed' || launcher === 'srun' ? launcher : 'numactl';
}

/**
 * The command of one rank, bound by numactl where that is what binds; as it is otherwise.
 * Cores are counted within those that the process may use (`+`, numactl(8)): Slurm or a container may give others than
 * the first. Memory is bound to all NUMA nodes of the run, not to the rank's own: Linux takes the nearest of them
 * first (set_mempolicy(2), MPOL_BIND), and a rank that needs more than its share finds it before the HBM.
 */
export function bindCommand(rank: RankBinding, command: readonly string[]): readonly string[] {
  if (rank.binding !== 'numactl') return command;
  const perRank = Math.floor(rank.cores / rank.ranksPerNode);
  const memory = rank.hostNumaNodes === null ? [] : [`--membind=${rank.hostNumaNodes.join(',')}`];
  // More ranks than cores (functional runs): nothing to divide.
  if (perRank === 0) return memory.length === 0 ? command : ['numactl', ...memory, ...command];
  if (typeof rank.localRank === 'number') {
    const first = rank.localRank * perRank;
    return ['numactl', `--physcpubind=+${first}-${first + perRank - 1}`, ...memory, ...command];
  }
  // sh does the arithmetic: which rank this is, is known only where it starts.
  const script =
    `first=$((\${1:-$LOCAL_RANK} * ${perRank})); shift; ` +
    `exec numactl --physcpubind=+$first-$((first + ${perRank - 1})) ${[...memory, '"$@"'].join(' ')}`;
  return ['sh', '-c', script, 'sh', rank.localRank ?? '', ...command];
}

/**
 * The words of DeepSpeed's launcher that bind, where it is what binds. It counts physical cores of the whole node, so
 * a run on a part of it names its own; each rank gets an equal part of them, its memory from their NUMA node, and
 * OMP_NUM_THREADS (deepspeed/utils/numa.py, launcher/launch.py of 0.19.8).
 */
export function deepspeedBindingWords({ binding, cores, nodeCores }: NodeBinding): readonly string[] {
  if (binding !== 'deepspeed') return [];
  return ['--bind_cores_to_rank', ...(cores < nodeCores ? [`--bind_core_list=0-${cores - 1}`] : [])];
}

/**
 * The words of srun that bind, where it is what binds: a task a rank, each with its own cores, and host memory from the
 * run's NUMA nodes (srun(1): a mask is used again for every task).
 */
export function srunBindingWords({
  binding,
  cores,
  ranksPerNode,
  hostNumaNodes,
}: NodeBinding): readonly string[] {
  if (binding !== 'srun') return [];
  const mask = (hostNumaNodes ?? []).reduce((sum, node) => sum | (1n << BigInt(node)), 0n);
  return [
    `--cpus-per-task=${Math.max(1, Math.floor(cores / ranksPerNode))}`,
    '--cpu-bind=cores',
    ...(mask === 0n ? [] : [`--mem-bind=mask_mem:0x${mask.toString(16)}`]),
  ];
}

/** What binding needs of the machine that it takes place on. */
export interface BindingTools {
  /** Where numactl is, and what it says; `version` null where it does not work. */
  readonly numactl: { readonly path: string | null; readonly version: string | null };
  /** Ids of the machine's NUMA nodes with memory; null where they are not known (another machine's). */
  readonly numaNodes: readonly number[] | null;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * Everything that would make the binding fail at the start of each rank.
 * @param systemName whose `site.binding` it is.
 */
export function bindingFaults(
  { binding, hostNumaNodes }: Pick<NodeBinding, 'binding' | 'hostNumaNodes'>,
  systemName: string,
  { numactl, numaNodes, env }: BindingTools,
): Fault[] {
  if (binding === 'none' || binding === 'srun') return [];
  const place = `system ${systemName}, binding by ${binding}`;
  const faults: Fault[] = [];
  if (numactl.path === null) {
    const expected =
      'numactl, by apt install numactl or dnf install numactl; or "binding": "none" in the system file';
    faults.push({ place, problem: 'needs numactl, which is not on PATH', expected });
  } else if (numactl.version === null) {
    const expected = 'memory policies allowed: in a container, --cap-add=SYS_NICE';
    faults.push({ place, problem: `${numactl.path} does not work here`, expected });
  }
  const absent = (numaNodes === null ? [] : (hostNumaNodes ?? [])).filter((id) => !numaNodes?.includes(id));
  if (binding === 'numactl' && absent.length > 0) {
    const problem = `this machine has no NUMA node ${absent.join(', ')}`;
    faults.push({
      place: `system ${systemName} /hostNumaNodes`,
      problem,
      expected: numaNodes?.join(', ') ?? '',
    });
  }
  // deepspeed/utils/numa.py raises a ValueError.
  if (binding === 'deepspeed' && env['KMP_AFFINITY'] !== undefined) {
    faults.push({
      place: 'KMP_AFFINITY',
      problem: 'is set, and --bind_cores_to_rank refuses it',
      expected: 'unset',
    });
  }
  return faults;
}
