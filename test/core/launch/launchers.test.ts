import { describe, expect, it } from 'vitest';
import { launcherNames } from '../../../src/core/experiment/case.ts';
import { launchers } from '../../../src/core/launch/launcher.ts';

const request = {
  python: '/stack/bin/python',
  program: ['train.py', '--bf16'],
  worldSize: 2,
  port: 29517,
  bindCores: false,
  gpuIndices: null,
};

describe('launchers', () => {
  it('python starts one rank, told who it is by the environment', () => {
    expect(launchers.python.launch({ ...request, worldSize: 1 })).toEqual({
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
    expect(launchers.deepspeed.launch({ ...request, bindCores: true }).command).toContain(
      '--bind_cores_to_rank',
    );
  });

  it('deepspeed is told the GPUs that were chosen, since it deletes CUDA_VISIBLE_DEVICES', () => {
    const { command } = launchers.deepspeed.launch({ ...request, gpuIndices: [3, 1, 0] });
    expect(command).toContain('--include=localhost:3,1');
    // DeepSpeed refuses them beside --include.
    expect(command.filter((word) => word.startsWith('--num_'))).toEqual([]);
  });

  it('are all registered under their own names', () => {
    expect(
      Object.values(launchers)
        .map(({ name }) => name)
        .sort(),
    ).toEqual([...launcherNames].sort());
  });
});
