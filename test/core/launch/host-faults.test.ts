import { describe, expect, it } from 'vitest';
import type { HostAnswer } from '../../../src/core/launch/host-check.ts';
import {
  hostFaults,
  hostNotes,
  masterCandidates,
  sameMachineFaults,
  type AskedHost,
} from '../../../src/core/launch/host-faults.ts';

const answer: HostAnswer = {
  ...{ hostName: 'n1', boot: 'b1', clock: 0, arch: 'x86_64', isa: '0123abcd', token: 'removed' },
  ...{ absentFiles: [], absentTools: [], python: '3.11.2', lockSha256: 'aa', addresses: [] },
  ...{ gpus: null, gpuProcesses: null },
};

function asked(change: Partial<HostAnswer> = {}, name = 'node1'): AskedHost {
  return { name, answer: { ...answer, ...change }, skew: null };
}

const stack = { python: '/s/python', lock: '/s/lock.json' };
const wish = {
  question: { tokenFolder: '/home/runs', files: [], tools: [], stack, gpus: false },
  ranksPerNode: 2,
  lockSha256: 'aa',
};
const withGpus = { ...wish, question: { ...wish.question, gpus: true } };

/** A row of nvidia-smi as core/machine/nvidia-smi.ts asks for it. */
const gpu = (index: number): string =>
  `${index}, GPU-${index}, NVIDIA H200, 143771, 0, 9.0, 570.1, 345, 1980, 3201, 700.00, 700.00`;
const gpus = (count: number): string => Array.from({ length: count }, (_, index) => gpu(index)).join('\n');

const problems = (host: AskedHost, of = wish): string[] => hostFaults(host, of).map(({ problem }) => problem);

describe('hostFaults', () => {
  it('has none to find with a host that is as it should be', () => {
    expect(problems(asked())).toEqual([]);
    expect(problems(asked({ gpus: gpus(4), gpuProcesses: 'GPU-3, 77' }), withGpus)).toEqual([]);
  });

  it('finds all of them at once', () => {
    const host = asked({
      token: 'absent',
      absentFiles: ['/t.py'],
      absentTools: ['numactl'],
      lockSha256: 'bb',
    });
    expect(problems(host)).toEqual([
      'does not see /home/runs',
      'has no /t.py',
      'has no numactl on the PATH of ssh',
      'has another lock at /s/lock.json',
    ]);
    expect(problems(asked({ token: 'read-only', lockSha256: null }))).toEqual([
      'may not write to /home/runs',
      'has no lock at /s/lock.json',
    ]);
    expect(problems(asked({ python: null, arch: 'aarch64' }))).toEqual([
      'cannot run /s/python (it is aarch64)',
    ]);
  });

  it('wants the first GPUs, as many as ranks, and free', () => {
    expect(problems(asked(), withGpus)).toEqual(['nvidia-smi fails or is not there']);
    expect(problems(asked({ gpus: gpus(1), gpuProcesses: '' }), withGpus)).toEqual(['has 1 GPUs']);
    expect(problems(asked({ gpus: gpus(2), gpuProcesses: 'GPU-1, 77' }), withGpus)).toEqual([
      'GPU 1 is in use by other processes',
    ]);
  });
});

it('two names of one machine are refused where they would share its GPUs', () => {
  const hosts = [asked(), asked({ boot: 'b2' }, 'node2'), asked({}, 'node1-ib')];
  expect(sameMachineFaults(hosts, wish)).toEqual([]);
  expect(sameMachineFaults(hosts, withGpus).map(({ place, problem }) => `${place} ${problem}`)).toEqual([
    'host node1-ib is the same machine as node1',
  ]);
});

it('a clock is remarked upon beyond five seconds and the error of asking', () => {
  const at = (seconds: number, error: number): AskedHost => ({ ...asked(), skew: { seconds, error } });
  expect(hostNotes([at(5.5, 1), at(-9, 5), asked()])).toEqual([]);
  expect(hostNotes([at(90, 1), at(-7.4, 2)])).toEqual([
    "the clock of node1 is 90 s ahead of this machine's",
    "the clock of node1 is 7 s behind this machine's",
  ]);
});

describe('masterCandidates', () => {
  const addresses = ['127.0.0.1', '10.0.0.1', 'fe80::1', '::1', '172.17.0.1'];

  it('has no loopback among them, unless all hosts are one machine', () => {
    const master = asked({ addresses }, 'me@node1');
    expect(masterCandidates([master, asked({ boot: 'b2' })])).toEqual(['10.0.0.1', '172.17.0.1', 'node1']);
    expect(masterCandidates([master, asked()])).toEqual([
      '127.0.0.1',
      '10.0.0.1',
      '::1',
      '172.17.0.1',
      'node1',
    ]);
  });
});
