import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { sharedHome } from '../real-stack.ts';

/** The published scripts' names and arguments, each run with the built program behind it. */
const experiment = join(import.meta.dirname, '..', '..', 'experiment');
const cwd = mkdtempSync(join(tmpdir(), 'superoffload-published-'));
afterAll(() => {
  rmSync(cwd, { recursive: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function bash(words: readonly string[], env: Readonly<Record<string, string>> = {}): Ended {
  const { status, stdout, stderr } = spawnSync('bash', [...words], {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, SUPEROFFLOAD_HOME: sharedHome, ...env },
  });
  return { code: status, stdout, stderr };
}
const script = (name: string, ...words: string[]): Ended => bash([join(experiment, name), ...words]);

/** What the script hands to superoffload: it says so on stderr. */
const handed = ({ stderr }: Ended): string | undefined => /^superoffload (\S.*?)\s*$/m.exec(stderr)?.[1];

describe('the published scripts', () => {
  it.each([
    ['throughput/one_chip.sh', [], 'MODE is missing'],
    ['throughput/four_chip.sh', ['nope', '2B', '8', 'false'], "Invalid mode: 'nope'. Valid modes are: prism"],
    ['throughput/sixteen_chip.sh', ['prism'], 'MODEL_SIZE is missing'],
    ['throughput/one_chip.sh', ['prism', '2B'], 'MICRO_BATCH is missing'],
    ['throughput/one_chip.sh', ['prism', '2B', '0', 'true'], "MICRO_BATCH is '0'"],
    ['throughput/one_chip.sh', ['prism', '2B', '8'], 'ACTIVATION_CHECKPOINTING is missing'],
    ['throughput/one_chip.sh', ['prism', '2B', '8', 'yes'], "ACTIVATION_CHECKPOINTING is 'yes'"],
    ['model_size/one_chip.sh', ['prism'], 'MODEL_SIZE is missing'],
    ['model_size/sixteen_chip.sh', ['ddp', '5B'], "Invalid mode: 'ddp'"],
    ['sequence_length/four_chip.sh', ['prism', '13B'], 'Valid modes are: prism-ulysses ulysses'],
    ['sequence_length/eight_chip.sh', ['ulysses', '13B'], 'SEQUENCE_LENGTH is missing'],
    ['sequence_length/eight_chip.sh', ['ulysses', '13B', '-4', 'true'], "SEQUENCE_LENGTH is '-4'"],
  ])('%s %j: says what is wrong, then the usage, and exits with 2', (name, words, message) => {
    const { code, stdout, stderr } = script(name, ...words);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^usage: bash experiment\/\S+ MODE MODEL_SIZE/m);
  });

  it.each([
    ['throughput/one_chip.sh', 'throughput --help'],
    ['model_size/four_chip.sh', 'model-size --help'],
    ['sequence_length/eight_chip.sh', 'sequence-length --help'],
    ['published.sh', 'EXPERIMENT CHIPS'],
  ])('%s --help says how it is called, and starts nothing', (name, more) => {
    for (const word of ['--help', '-h']) {
      const { code, stdout, stderr } = script(name, word);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toMatch(/^usage: bash experiment\//);
      expect(stdout).toContain(more);
    }
  });

  it('a size that is none: the tool says so, and exits with 2', () => {
    const { code, stderr } = script('model_size/one_chip.sh', 'zero_offload', '99B');
    expect(code).toBe(2);
    expect(stderr).toContain('there is no size "99B"');
  });

  it.each([
    [
      'throughput/one_chip.sh',
      ['zero_offload', 'tiny', '4', 'true'],
      'throughput --chips 1 --mode zero_offload --model tiny --micro-batch 4 --global-batch 8 --activation-checkpointing',
    ],
    [
      'throughput/sixteen_chip.sh',
      ['prism', '80B', '8', 'false', '--system', 'gh200-nvl2'],
      'throughput --chips 16 --mode prism --model 80B --micro-batch 8 --global-batch 128 --no-activation-checkpointing --sequence-length 2048',
    ],
    [
      'model_size/four_chip.sh',
      ['prism', '100B', '--system', 'gh200-nvl2'],
      'model-size --chips 4 --mode prism --model 100B-artifact',
    ],
    [
      'sequence_length/four_chip.sh',
      ['prism-ulysses', '13B', '131072', 'true', '--system', 'gh200-nvl2'],
      'sequence-length --chips 4 --mode prism-ulysses --model 13B --sequence-length 131072 --activation-checkpointing',
    ],
  ])('%s %j', (name, words, expected) => {
    const ended = script(name, ...words, '--dry-run');
    expect(ended.code, ended.stderr).toBe(0);
    expect(handed(ended)).toContain(expected);
    expect(ended.stdout).toContain('ds_config.json');
  });

  it.each(['four', 'eight'])("the README's name of %s chips and a sequence: runs it and says so", (word) => {
    const words = ['ulysses', '13B', '64K', 'false', '--system', 'gh200-nvl2', '--dry-run'];
    const ended = script(`model_size/${word}_chip.sh`, ...words);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain(`running experiment/sequence_length/${word}_chip.sh`);
    expect(handed(ended)).toContain('--sequence-length 65536');
  });

  it('prints what can be piped to tee', () => {
    const path = join(experiment, 'throughput', 'one_chip.sh');
    const ended = bash([
      '-c',
      `set -o pipefail; bash ${path} zero_offload tiny 8 false --dry-run | tee output.log`,
    ]);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toContain('"train_batch_size": 8');
  });

  it('trains Megatron where that is asked for', () => {
    const words = [
      join(experiment, 'throughput/one_chip.sh'),
      'zero_offload',
      'tiny',
      '8',
      'false',
      '--dry-run',
    ];
    const ended = bash(words, { SUPEROFFLOAD_WORKLOAD: 'megatron' });
    expect(handed(ended)).toContain('--workload megatron');
    expect(ended.stdout).toContain('pretrain_gpt.py');
  });

  it('in a job of Slurm: the clone is found from the folder it was given in, and runs are steps of the job', () => {
    const four = join(experiment, 'throughput', 'four_chip.sbatch');
    const env = { SLURM_SUBMIT_DIR: join(experiment, '..'), SLURM_JOB_ID: '77' };
    const ended = bash([four, 'prism', '5B', '4', 'false', '--dry-run'], env);
    expect(handed(ended)).toContain('--scheduler slurm --slurm jobid=77 --dry-run');
    const long = bash([join(experiment, 'sequence_length', 'four_chip.sbatch'), 'ulysses', '13B'], env);
    expect(long.code).toBe(2);
    expect(long.stderr).toContain('SEQUENCE_LENGTH is missing');
  });

  it('hold no account and no partition, and are clean for shellcheck', (context) => {
    const files = readdirSync(experiment, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(sh|sbatch)$/.test(name))
      .map((name) => join(experiment, name));
    expect(files.length).toBeGreaterThan(12);
    const grep = spawnSync('grep', ['-lE', '^#SBATCH --(account|partition)', ...files], { encoding: 'utf8' });
    expect(grep.stdout).toBe('');
    const linter = 'shellcheck';
    const checked = spawnSync(linter, ['-x', ...files], { encoding: 'utf8' });
    if (checked.error !== undefined) context.skip('shellcheck is not installed here');
    expect(checked.stdout).toBe('');
  });
});
