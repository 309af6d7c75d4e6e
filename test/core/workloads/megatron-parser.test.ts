import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { megatronWorkload } from '../../../src/core/workloads/megatron.ts';
import { artifactCases } from './megatron-cases.ts';

const sources = process.env['SUPEROFFLOAD_TEST_SOURCES'] ?? '';
const pinned = 'f2c70ad9db2fa8a210f17086ee9c201541e6d539';
const paths = {
  trainer: '/trainer',
  megatron: '/megatron',
  deepspeedConfig: 'ds_config.json',
  stopFile: 'stop',
  syntheticData: '/synthetic',
};

/** What `deepspeed.add_config_arguments` adds to any parser. */
const ofDeepspeed = ['--deepspeed', '--deepspeed_config'];

describe.skipIf(sources === '')('Megatron at the pinned commit (needs SUPEROFFLOAD_TEST_SOURCES)', () => {
  const show = (path: string): string =>
    execFileSync('git', ['-C', join(sources, 'megatron'), 'show', `${pinned}:${path}`], { encoding: 'utf8' });

  it('declares every flag of every experiment, with a value exactly where one is given', () => {
    const parser = show('megatron/arguments.py');
    const flags = new Map<string, boolean>();
    for (const subject of Object.values(artifactCases)) {
      const argv = megatronWorkload.program(subject, paths);
      argv.forEach((word, index) => {
        if (word.startsWith('--')) flags.set(word, !(argv[index + 1] ?? '--').startsWith('--'));
      });
    }
    expect(flags.size).toBeGreaterThan(40);
    for (const [flag, hasValue] of flags) {
      if (ofDeepspeed.includes(flag)) continue;
      const declared = declaration(parser, flag);
      expect(declared, flag).toBeDefined();
      expect(/action=.store_(true|false)/.test(declared ?? ''), flag).toBe(!hasValue);
    }
  });

  it('asks for CUDA_DEVICE_MAX_CONNECTIONS=1 only where we never go: tensor parallelism, without DeepSpeed', () => {
    const parser = show('megatron/arguments.py');
    expect(parser).toMatch(/if args\.tensor_model_parallel_size == 1:\s+args\.sequence_parallel = False/);
    expect(parser).toMatch(/if args\.deepspeed:\s+args\.async_tensor_model_parallel_allreduce = False/);
  });

  it('reads the sections of the JSON that are refused for it', () => {
    const training = show('megatron/training.py');
    for (const section of ['curriculum_learning', 'compression_training']) {
      expect(training).toContain(`"${section}" in args.deepspeed_config_dict`);
    }
  });
});

/** The text of the `add_argument` call that declares a flag. */
function declaration(parser: string, flag: string): string | undefined {
  return parser
    .split('add_argument(')
    .find((call) => new RegExp(`^[^)]*?["']${flag}["']`).test(call.split('=')[0] ?? ''));
}
