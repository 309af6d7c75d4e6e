import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describePlan, runScript, runScripts } from '../../../src/core/plan/describe.ts';
import type { HostfileSchedule } from '../../../src/core/launch/schedule.ts';
import { samplePlan } from '../sample-plan.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'describe-')));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('runScript', () => {
  it('is this for a case', () => {
    expect(runScript(samplePlan({}, { launcher: 'torchrun' }))).toBe(
      [
        '#!/bin/sh',
        '# zero_offload, 2B, 1 chip, batch 8, sequence 1024, bf16',
        'cd "$(dirname "$0")" || exit 127',
        'unset PYTHONPATH',
        'export TORCH_EXTENSIONS_DIR=/stack/ops',
        'export OMP_NUM_THREADS=16',
        "export TORCHELASTIC_LOG_LINE_PREFIX_TEMPLATE='[rank${rank}]:'",
        'exec /stack/venv/bin/python -m torch.distributed.run --nproc-per-node=1 --nnodes=1 --master-addr=127.0.0.1 ' +
          '--master-port=29517 --tee=3 --log-dir=ranks /package/experiment/trainer/train.py --num-layers 40 ' +
          '--hidden-size 2048 --num-attention-heads 32 --vocab-size 50432 --make-vocab-size-divisible-by 1 ' +
          '--seq-length 1024 --micro-batch-size 8 --global-batch-size 8 --train-iters 30 --seed 1234 --bf16 ' +
          '--deepspeed_config ds_config.json --stop-file stop',
        '',
      ].join('\n'),
    );
  });

  const print = `printf '%s|' "$PWD" "$SAID" "\${GONE-unset}" "$@"`;
  it.each(['plain', "it's a folder", 'new\nline', '日本 $HOME `id`'])('runs in its own folder %j', (name) => {
    const inside = join(folder, name);
    mkdirSync(inside);
    const plan = {
      ...samplePlan(),
      title: 'two\nlines',
      env: { SAID: 'a "b" $c \'d\'\n' },
      unset: ['GONE'],
      command: ['/bin/sh', '-c', print, 'x', 'one', ' t w o ', ''],
    };
    writeFileSync(join(inside, 'run.sh'), runScript(plan));
    const output = execFileSync('/bin/sh', [join(inside, 'run.sh')], {
      encoding: 'utf8',
      env: { ...process.env, GONE: 'here' },
    });
    expect(output).toBe(`${inside}|a "b" $c 'd'\n|unset|one| t w o ||`);
  });

  it('runs a command where the user stands, and replaces the shell by it', () => {
    const plan = {
      ...samplePlan(),
      cwd: folder,
      env: {},
      unset: [],
      command: ['/bin/sh', '-c', 'echo $PWD $$'],
    };
    const script = `${runScript(plan)}echo never`;
    expect(execFileSync('/bin/sh', ['-c', `echo $$; ${script}`], { encoding: 'utf8' })).toMatch(
      new RegExp(`^(\\d+)\n${folder} \\1\n$`),
    );
  });

  it('ends with 127 where the folder has gone', () => {
    const plan = { ...samplePlan(), cwd: join(folder, 'gone') };
    expect(() => execFileSync('/bin/sh', ['-c', runScript(plan)], { stdio: 'pipe' })).toThrow(
      expect.objectContaining({ status: 127 }) as Error,
    );
  });
});

describe('describePlan', () => {
  it('shows each file with its content, then the script', () => {
    const text = describePlan(samplePlan());
    expect(text.split('\n').filter((line) => line.startsWith('#'))).toEqual([
      '# zero_offload, 2B, 1 chip, batch 8, sequence 1024, bf16',
      '## ds_config.json',
      '## run.sh',
      '#!/bin/sh',
      '# zero_offload, 2B, 1 chip, batch 8, sequence 1024, bf16',
    ]);
    expect(text).toContain('"train_batch_size": 8');
  });
});

describe('the scripts of a schedule', () => {
  const schedule: HostfileSchedule = {
    scheduler: 'hostfile',
    layout: { nodes: 2, ranksPerNode: 2 },
    hosts: ['node1', 'node2'].map((name) => ({ name, slots: 2 })),
    masterAddress: 'node1',
  };
  const plan = samplePlan({ chips: 4 }, { schedule, launcher: 'torchrun' });

  it('a node is told its place by its environment alone, whatever that holds', () => {
    const words = ['@NODE_RANK@', 'a @MASTER_ADDRESS@:@MASTER_PORT@', "it's $HOME @SLURM_PROCID@", '@OTHER@'];
    const script = runScript({
      ...plan,
      ...{ cwd: folder, files: {}, unset: [], env: { PLACE: '@SLURM_LOCALID@ of @NODE_RANK@' } },
      command: ['/bin/sh', '-c', `printf '%s|' "$PLACE" "$@"`, 'x', ...words],
    });
    const place = { SUPEROFFLOAD_NODE_RANK: '1', MASTER_ADDR: 'a  b `id`', MASTER_PORT: '7' };
    const env = { ...place, SLURM_PROCID: '*', SLURM_LOCALID: '0' };
    const output = execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', env });
    expect(output).toBe("0 of 1|1|a a  b `id`:7|it's $HOME *|@OTHER@|");
  });

  it('without one nothing is a placeholder', () => {
    const here = { ...samplePlan(), env: {}, command: ['echo', '@NODE_RANK@'] };
    expect(runScript(here)).toContain('\nexec echo @NODE_RANK@\n');
  });

  it('are what a node runs and what reaches all of them, in a shell’s own grammar, and are shown', () => {
    const scripts = runScripts(plan);
    expect(Object.keys(scripts)).toEqual(['run.sh', 'node.sh', 'hosts.sh']);
    for (const text of [...Object.values(scripts), plan.files['ops.sh'] ?? '']) {
      expect(execFileSync('/bin/sh', ['-n'], { input: text, encoding: 'utf8' })).toBe('');
    }
    expect(scripts['hosts.sh']).toContain('\nnode 0 node1 &\nnode 1 node2 &\nwait\n');
    expect(scripts['run.sh']).toContain('--node-rank="${SUPEROFFLOAD_NODE_RANK}"');
    const shown = describePlan(plan).match(/^## .*$/gm);
    expect(shown).toEqual(['## ds_config.json', '## ops.sh', '## run.sh', '## node.sh', '## hosts.sh']);
  });

  it('ranks of a node share its cores, however many nodes there are', () => {
    expect(plan.env['OMP_NUM_THREADS']).toBe('8');
  });
});
