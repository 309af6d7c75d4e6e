import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { forwardLines } from '../../../src/core/launch/forward.ts';

it('hands on what concerns communication, whatever it holds, and nothing that is this machine’s own', () => {
  const odd = `a 'b' "$c"\n\\n`;
  const lines = forwardLines({
    NCCL_IB_HCA: odd,
    LD_LIBRARY_PATH: '/opt/lib',
    HF_TOKEN: 'secret',
    CUDA_VISIBLE_DEVICES: '3',
    PYTHONPATH: '/mine',
    HOME: '/home/me',
    'NCCL_; rm -rf /': 'x',
    UCX_TLS: undefined,
  });
  const { stdout } = spawnSync('/bin/sh', {
    input: `${lines}\nprintf '%s|%s|%s' "$NCCL_IB_HCA" "$LD_LIBRARY_PATH" "$HF_TOKEN"\n`,
    encoding: 'utf8',
    env: {},
  });
  expect(stdout).toBe(`${odd}|/opt/lib|secret`);
  expect([...lines.matchAll(/^export (\w+)=/gm)].map(([, name]) => name)).toEqual([
    'NCCL_IB_HCA',
    'LD_LIBRARY_PATH',
    'HF_TOKEN',
  ]);
});
