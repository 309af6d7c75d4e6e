import { describe, expect, it } from 'vitest';
import { compareSets } from '../../../src/core/compare/compare.ts';
import { comparisonText } from '../../../src/cli/text/compare.ts';
import { fairnessOf, unfairness } from '../../../src/core/results/fairness.ts';
import { launchEnvironment } from '../../../src/core/results/launch-environment.ts';
import { recordFault } from '../../../src/core/results/record-shape.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { hiddenMark } from '../../../src/core/results/redact.ts';
import { sampleRecord } from '../../workflows/records/sample-home.ts';
import type { SlurmSchedule } from '../../../src/core/launch/schedule.ts';
import { samplePlan } from '../sample-plan.ts';

const plan = {
  ...samplePlan(),
  env: { OMP_NUM_THREADS: '16' },
  unset: ['TORCH_CUDA_ARCH_LIST', 'CUDA_UNSET'],
};

function under(environment: Record<string, string> | undefined, index = 0): RunRecord {
  return sampleRecord({ inputs: { plan: { ...samplePlan(), env: plan.env }, environment } }, index);
}

describe('the environment of a launch', () => {
  it('holds what steers its libraries, and over that what the plan sets', () => {
    const { variables } = launchEnvironment(plan, {
      ...{ HOME: '/home/a', OMP_NUM_THREADS: '4', CUDA_UNSET: '1', TORCH_HOME: '/a', NCCL_VERSION: '2' },
      ...{ NCCL_IB_DISABLE: '1', LD_LIBRARY_PATH: '/lib', PYTORCH_CUDA_ALLOC_CONF: 'x', DS_BUILD_OPS: '1' },
    });
    expect(variables).toEqual({
      LD_LIBRARY_PATH: '/lib',
      NCCL_IB_DISABLE: '1',
      OMP_NUM_THREADS: '16',
      PYTORCH_CUDA_ALLOC_CONF: 'x',
    });
  });

  it('is the same in any order, and another with another value', () => {
    const hashOf = (environment: Record<string, string>): string => launchEnvironment(plan, environment).hash;
    expect(hashOf({ NCCL_ALGO: 'Ring', NCCL_PROTO: 'LL' })).toBe(
      hashOf({ NCCL_PROTO: 'LL', NCCL_ALGO: 'Ring' }),
    );
    expect(hashOf({ NCCL_ALGO: 'Ring' })).not.toBe(hashOf({ NCCL_ALGO: 'Tree' }));
    expect(hashOf({ USER: 'a' })).toBe(hashOf({ USER: 'b' }));
  });

  it('holds no secret', () => {
    const { variables } = launchEnvironment(plan, {
      DS_API_KEY: 'abcdefgh1234',
      NCCL_X: 'https://u:pw@host',
    });
    expect(variables).toMatchObject({ DS_API_KEY: hiddenMark, NCCL_X: `https://u:${hiddenMark}@host` });
  });

  it('holds no secret of a name that says nothing, and no hash of one', () => {
    const under = (secret: string) =>
      launchEnvironment(plan, {
        ...{ DS_REMOTE: `https://u:${secret}@more@host/x`, DS_ARGS: `--steps 3 --password ${secret}q` },
        ...{ DS_WANDB: secret.repeat(4), CUDA_VISIBLE_DEVICES: 'GPU-8932f937-d72c-4106-c12f-20bd9faed9f6' },
      });
    expect(under('0a1b2c3d4e').variables).toMatchObject({
      ...{ DS_REMOTE: `https://u:${hiddenMark}@host/x`, DS_ARGS: `--steps 3 --password ${hiddenMark}` },
      ...{ DS_WANDB: hiddenMark, CUDA_VISIBLE_DEVICES: 'GPU-8932f937-d72c-4106-c12f-20bd9faed9f6' },
    });
    expect(under('0a1b2c3d4e').hash).toBe(under('9f8e7d6c5b').hash);
  });

  it('has the files by which NCCL is told of the machine, and not where it writes', () => {
    const files = { NCCL_TOPO_FILE: '/a.xml', NCCL_DEBUG_FILE: '/a.log' };
    expect(Object.keys(launchEnvironment({ ...plan, env: {} }, files).variables)).toEqual(['NCCL_TOPO_FILE']);
  });

  it('has of other machines what goes along to them', () => {
    const schedule = {
      ...{ scheduler: 'slurm', setup: [], bindCores: false, allocation: null },
      ...{ layout: { nodes: 1, ranksPerNode: 1 }, options: {} },
    } as unknown as SlurmSchedule;
    const environment = { LD_PRELOAD: '/a.so', NCCL_ALGO: 'Ring' };
    const sent = (options: Record<string, string>): string[] =>
      Object.keys(
        launchEnvironment({ ...plan, env: {}, schedule: { ...schedule, options } }, environment).variables,
      );
    expect(sent({})).toEqual(['NCCL_ALGO']);
    expect(sent({ export: 'ALL' })).toEqual(['LD_PRELOAD', 'NCCL_ALGO']);
  });
});

describe('runs under other variables', () => {
  const [plain, tuned] = [under({}), under({ MALLOC_ARENA_MAX: '1', DS_SECRET: 'abcdefgh1234' }, 60)];

  it('are told apart by compare, each variable with both values', () => {
    expect(fairnessOf(plain, tuned).differences).toEqual([
      { name: 'environment DS_SECRET', a: 'not set', b: hiddenMark },
      { name: 'environment MALLOC_ARENA_MAX', a: 'not set', b: '1' },
    ]);
    const set = (record: RunRecord) => ({ name: 'x', records: [{ record, source: 'x', folder: null }] });
    const text = comparisonText(compareSets(set(plain), set(tuned), ['stepMs'], () => undefined));
    expect(text).toContain('environment MALLOC_ARENA_MAX not set against 1');
    expect(text).not.toContain('abcdefgh1234');
  });

  it('are not told apart where one does not say, and that is said', () => {
    const { differences, unknown } = fairnessOf(plain, under(undefined, 60));
    expect(differences).toEqual([]);
    expect(unknown).toContain('environment');
  });

  it('says a long list of folders by its beginning', () => {
    const path = (last: string): RunRecord => under({ LD_LIBRARY_PATH: `${'/a'.repeat(40)}/${last}` });
    const [only] = fairnessOf(path('x'), path('y')).differences;
    expect(only?.a.length).toBeLessThan(60);
    expect(only?.a).not.toBe(only?.b);
  });

  it('does not count threads that follow from the cores twice', () => {
    const [few, many] = [under({}), sampleRecord({ inputs: { environment: {} }, record: { worldSize: 4 } })];
    const threads = { ...many, environment: { hash: 'x', variables: { OMP_NUM_THREADS: '4' } } };
    expect(unfairness(few, threads).join()).not.toContain('OMP_NUM_THREADS');
    expect(unfairness(few, { ...threads, worldSize: 1 }).join()).toContain(
      'environment OMP_NUM_THREADS 16 against 4',
    );
  });

  it('are refused where the environment of a record is none', () => {
    for (const environment of [null, {}, { hash: 'x', variables: { A: 1 } }, { hash: 1, variables: {} }]) {
      expect(recordFault({ ...plain, environment })).toContain('environment');
    }
    expect(recordFault(plain)).toBeNull();
  });
});
