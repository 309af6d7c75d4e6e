import { bindCommand, deepspeedBindingWords } from '../binding.ts';
import { placeholders } from '../placeholders.ts';
import type { Launcher, LaunchCommand, LaunchRequest } from '../launcher.ts';

/**
 * DeepSpeed's own launcher: `deepspeed` itself on one node, and on several its half for a node, which this tool
 * starts on each of them.
 */
export const deepspeedLauncher: Launcher = {
  name: 'deepspeed',
  maxWorldSize: Number.POSITIVE_INFINITY,
  launch: (request) => (request.layout.nodes === 1 ? onOneNode(request) : onEveryNode(request)),
};

/**
 * On one node. A hostfile is always named: without one it looks for /job/hostfile and
 * would follow whatever stands there; a name that does not exist means the local devices
 * (deepspeed/launcher/runner.py, fetch_hostfile).
 * It ignores CUDA_VISIBLE_DEVICES and deletes it as soon as a number of nodes or GPUs is given (launcher/runner.py of
 * 0.19.8, main), so GPUs that were chosen are named one by one, and then it takes no such number.
 */
function onOneNode(request: LaunchRequest): LaunchCommand {
  const { python, layout, masterAddress, masterPort, gpuIndices } = request;
  const command = [
    python,
    '-m',
    'deepspeed.launcher.runner',
    '--hostfile=none',
    ...(gpuIndices === null
      ? ['--num_nodes=1', `--num_gpus=${layout.ranksPerNode}`]
      : [`--include=localhost:${gpuIndices.slice(0, layout.ranksPerNode).join(',')}`]),
    `--master_addr=${masterAddress}`,
    `--master_port=${masterPort}`,
    ...boundProgram(request),
  ];
  return { command, env: {} };
}

/**
 * On each of several nodes: the module that `deepspeed` has pdsh run there (launcher/launch.py). Its part before
 * that is left out, because it (launcher/runner.py, multinode_runner.py of 0.19.8) returns pdsh's exit status, which
 * is 0 where nodes failed; hands on only the variables with four prefixes; has the remote shell split words again;
 * ends a run by `pkill -f`, which takes other runs of the user along; and goes on with the local devices where the
 * hostfile is missing. The module sets RANK, LOCAL_RANK, WORLD_SIZE and CUDA_VISIBLE_DEVICES of its ranks from the
 * world info and its own rank in it; names of nodes are keys there and nothing more.
 */
function onEveryNode(request: LaunchRequest): LaunchCommand {
  const { python, layout, masterAddress, masterPort } = request;
  const command = [
    python,
    '-m',
    'deepspeed.launcher.launch',
    `--world_info=${worldInfo(layout)}`,
    `--node_rank=${placeholders.nodeRank}`,
    `--master_addr=${masterAddress}`,
    `--master_port=${masterPort}`,
    ...boundProgram(request),
  ];
  return { command, env: {} };
}

/**
 * Both put `python -u` before the program and `--local_rank=N` behind its first word: words of another binder would
 * be torn apart, so they are told to do neither, and the rank is in LOCAL_RANK.
 */
function boundProgram({ python, program, binding }: LaunchRequest): readonly string[] {
  if (binding.binding !== 'numactl') return [...deepspeedBindingWords(binding), ...program];
  const command = bindCommand({ ...binding, localRank: null }, [python, '-u', ...program]);
  return ['--no_python', '--no_local_rank', ...command];
}

/** URL-safe base64 of the JSON `{node: [device, ...]}`, in the order of the nodes' ranks. */
function worldInfo({ nodes, ranksPerNode }: LaunchRequest['layout']): string {
  const devices = Array.from({ length: ranksPerNode }, (_, index) => index);
  const info = Object.fromEntries(Array.from({ length: nodes }, (_, node) => [`node${node}`, devices]));
  return btoa(JSON.stringify(info)).replaceAll('+', '-').replaceAll('/', '_');
}
