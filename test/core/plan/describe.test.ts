import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { describePlan, runScript } from '../../../src/core/plan/describe.ts';
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
