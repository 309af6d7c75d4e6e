import { describe, expect, it } from 'vitest';
import { launcherNames, type BindingName } from '../../../src/core/experiment/case.ts';
import type { NodeBinding } from '../../../src/core/launch/binding.ts';
import { launchers, type LaunchRequest } from '../../../src/core/launch/launcher.ts';
import { placeholders } from '../../../src/core/launch/placeholders.ts';

const request = {
  python: '/stack/bin/python',
  program: ['train.py', '--bf16'],
  layout: { nodes: 1, ranksPerNode: 2 },
  masterAddress: '127.0.0.1',
  masterPort: '29517',
  binding: { binding: 'none', ranksPerNode: 2, cores: 8, nodeCores: 8, hostNumaNodes: null } as NodeBinding,
  gpuIndices: null,
};

function bound(binding: BindingName): NodeBinding {
  return { ...request.binding, binding, hostNumaNodes: [0] };
}

function onNodes(nodes: number, ranksPerNode: number): LaunchRequest {
  const { masterAddress, masterPort } = placeholders;
  return { ...request, layout: { nodes, ranksPerNode }, masterAddress, masterPort };
}

describe('launchers', () => {
  it('python starts one rank, told who it is by the environment', () => {
    expect(launchers.python.launch({ ...request, layout: { nodes: 1, ranksPerNode: 1 } })).toEqual({
      command: ['/stack/bin/python', '-u', 'train.py', '--bf16'],
      env: { RANK: '0', LOCAL_RANK: '0', WORLD_SIZE: '1', MASTER_ADDR: '127.0.0.1', MASTER_PORT: '29517' },
    });
    expect(launchers.python.maxWorldSize).toBe(1);
  });

  it('torchrun names the rank on every line', () => {
    expect(launchers.torchrun.launch(request)).toEqual({
      command: [
        '/stack/bin/python', '-m', 'torch.distributed.run', '--nproc-per-node=2', '--nnodes=1',
        '--master-addr=127.0.0.1', '--master-port=29517', '--tee=3', '--log-dir=ranks', 'train.py', '--bf16',
      ], // prettier-ignore
      env: { TORCHELASTIC_LOG_LINE_PREFIX_TEMPLATE: '[rank${rank}]:' },
    });
  });

  it('deepspeed never reads /job/hostfile', () => {
    expect(launchers.deepspeed.launch(request)).toEqual({
      command: [
        '/stack/bin/python', '-m', 'deepspeed.launcher.runner', '--hostfile=none', '--num_nodes=1', '--num_gpus=2',
        '--master_addr=127.0.0.1', '--master_port=29517', 'train.py', '--bf16',
      ], // prettier-ignore
      env: {},
    });
    expect(launchers.deepspeed.launch({ ...request, binding: bound('deepspeed') }).command).toContain(
      '--bind_cores_to_rank',
    );
  });

  it('deepspeed is told the GPUs that were chosen, since it deletes CUDA_VISIBLE_DEVICES', () => {
    const { command } = launchers.deepspeed.launch({ ...request, gpuIndices: [3, 1, 0] });
    expect(command).toContain('--include=localhost:3,1');
    // DeepSpeed refuses them beside --include.
    expect(command.filter((word) => word.startsWith('--num_'))).toEqual([]);
  });

  it('torchrun on several nodes meets at the first one, which only its script knows', () => {
    expect(launchers.torchrun.launch(onNodes(4, 2)).command).toEqual([
      '/stack/bin/python', '-m', 'torch.distributed.run', '--nproc-per-node=2', '--nnodes=4',
      '--node-rank=@NODE_RANK@', '--max-restarts=0', '--master-addr=@MASTER_ADDRESS@', '--master-port=@MASTER_PORT@',
      '--tee=3', '--log-dir=ranks', 'train.py', '--bf16',
    ]); // prettier-ignore
  });

  it('deepspeed on several nodes is its own half for a node, told all nodes and their devices', () => {
    const { command } = launchers.deepspeed.launch({ ...onNodes(3, 2), binding: bound('deepspeed') });
    const [info = ''] = command.flatMap((word) => /^--world_info=(.*)$/.exec(word)?.[1] ?? []);
    expect(Buffer.from(info, 'base64url').toString()).toBe('{"node0":[0,1],"node1":[0,1],"node2":[0,1]}');
    expect(command.filter((word) => !word.startsWith('--world_info'))).toEqual([
      '/stack/bin/python', '-m', 'deepspeed.launcher.launch', '--node_rank=@NODE_RANK@',
      '--master_addr=@MASTER_ADDRESS@', '--master_port=@MASTER_PORT@', '--bind_cores_to_rank', 'train.py', '--bf16',
    ]); // prettier-ignore
  });

  it('the world info is in the alphabet of URLs and padded, as launch.py decodes it', () => {
    for (let nodes = 2; nodes <= 12; nodes += 1) {
      const [info = ''] = launchers.deepspeed
        .launch(onNodes(nodes, 1))
        .command.flatMap((word) => /^--world_info=(.*)$/.exec(word)?.[1] ?? []);
      expect(info).toMatch(/^[A-Za-z0-9_-]+={0,2}$/);
      expect(info.length % 4).toBe(0);
    }
  });

  it('srun leaves the ranks their places to Slurm', () => {
    expect(launchers.srun.launch(onNodes(4, 2))).toEqual({
      command: ['/stack/bin/python', '-u', 'train.py', '--bf16'],
      env: {
        RANK: '@SLURM_PROCID@',
        LOCAL_RANK: '@SLURM_LOCALID@',
        WORLD_SIZE: '8',
        MASTER_ADDR: '@MASTER_ADDRESS@',
        MASTER_PORT: '@MASTER_PORT@',
      },
    });
  });

  it('each has numactl around every rank, which knows itself by LOCAL_RANK', () => {
    const end = (
      launcher: 'python' | 'torchrun' | 'deepspeed' | 'srun',
      each: LaunchRequest,
    ): readonly string[] => {
      const { command } = launchers[launcher].launch({ ...each, binding: bound('numactl') });
      return command.slice(
        command.findIndex((word) => ['--no-python', '--no_python', 'numactl', 'sh'].includes(word)),
      );
    };
    const script =
      'first=$((${1:-$LOCAL_RANK} * 4)); shift; exec numactl --physcpubind=+$first-$((first + 3)) --membind=0 "$@"';
    const rank = ['/stack/bin/python', '-u', 'train.py', '--bf16'];
    expect(end('python', request)).toEqual(['numactl', '--physcpubind=+0-3', '--membind=0', ...rank]);
    expect(end('torchrun', request)).toEqual(['--no-python', 'sh', '-c', script, 'sh', '', ...rank]);
    expect(end('torchrun', onNodes(2, 2))).toEqual(end('torchrun', request));
    expect(end('deepspeed', request)).toEqual([
      '--no_python',
      '--no_local_rank',
      'sh',
      '-c',
      script,
      'sh',
      '',
      ...rank,
    ]);
    expect(end('deepspeed', onNodes(2, 2))).toEqual(end('deepspeed', request));
    expect(end('srun', onNodes(2, 2))).toEqual(['sh', '-c', script, 'sh', '@SLURM_LOCALID@', ...rank]);
  });

  it('are all registered under their own names', () => {
    expect(
      Object.values(launchers)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...launcherNames].sort());
  });
});
