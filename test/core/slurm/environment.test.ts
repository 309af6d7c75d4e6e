import { describe, expect, it } from 'vitest';
import { askingEnvironment, submitEnvironment } from '../../../src/core/slurm/environment.ts';
import { pollDelay, pollTarget, politePace } from '../../../src/core/slurm/poll-pace.ts';

const shell = {
  HOME: '/home/me',
  PATH: '/bin',
  HF_TOKEN: 'hunter2',
  AWS_SECRET_ACCESS_KEY: 'hunter3',
  HF_HOME: '/scratch/hf',
  NCCL_DEBUG: 'INFO',
  CUDA_VISIBLE_DEVICES: '3',
  SLURM_CONF: '/etc/slurm.conf',
  SLURM_JOB_ID: '7',
  SQUEUE_FORMAT: '%i',
  SBATCH_PARTITION: 'mine',
  SBATCH_OUTPUT: 'elsewhere',
  SBATCH_EXPORT: 'NONE',
  NOTHING: undefined,
};

describe('the environment of a job', () => {
  it('is who asks, how programs are found and what steers libraries: no secret, no other job, no odd option', () => {
    expect(Object.keys(submitEnvironment(shell, {})).sort()).toEqual([
      'HF_HOME',
      'HOME',
      'NCCL_DEBUG',
      'PATH',
      'SBATCH_PARTITION',
      'SLURM_CONF',
    ]);
  });

  it("leaves the user's own default where a flag or the site says nothing, and everything where export is given", () => {
    expect(submitEnvironment(shell, { partition: 'p' })).not.toHaveProperty('SBATCH_PARTITION');
    expect(submitEnvironment(shell, { export: 'ALL' })).toMatchObject({ AWS_SECRET_ACCESS_KEY: 'hunter3' });
    expect(submitEnvironment(shell, { export: 'ALL' })).not.toHaveProperty('SLURM_JOB_ID');
  });

  it('of a question has nothing that changes its answer', () => {
    expect(askingEnvironment(shell)).not.toHaveProperty('SQUEUE_FORMAT');
    expect(askingEnvironment(shell)).toMatchObject({ SLURM_CONF: '/etc/slurm.conf', HOME: '/home/me' });
  });
});

describe('the pace', () => {
  it('never asks twice in 10 s, and more rarely while nothing changes', () => {
    const delays = [10_000];
    for (let index = 0; index < 5; index += 1) delays.push(pollDelay(politePace, delays.at(-1)!, false));
    expect(delays).toEqual([10_000, 15_000, 22_500, 30_000, 30_000, 30_000]);
    expect(pollDelay(politePace, 30_000, true)).toBe(10_000);
  });

  it('asks the database only about what the controller cannot tell', () => {
    const known = { isForgotten: false, isNearEnd: true };
    const forgotten = { isForgotten: true, isNearEnd: false };
    const ask = (
      jobs: Parameters<typeof pollTarget>[0],
      askedLast: 'controller' | 'accounting',
      isSilent = false,
    ) => pollTarget(jobs, { askedLast, isSilent });
    expect(ask([known], 'accounting')).toBe('controller');
    expect(ask([known], 'controller')).toBe('controller');
    expect(ask([forgotten], 'accounting')).toBe('accounting');
    expect(ask([known, forgotten], 'controller')).toBe('accounting');
    expect(ask([known, forgotten], 'accounting')).toBe('controller');
    expect(ask([known], 'controller', true)).toBe('accounting');
  });
});
