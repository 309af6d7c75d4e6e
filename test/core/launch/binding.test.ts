import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findOnPath } from '../../../src/adapters/probe/search-path.ts';
import type { Site } from '../../../src/core/experiment/case.ts';
import { plainSite } from '../../../src/core/experiment/case.ts';
import {
  bindCommand,
  bindingFaults,
  deepspeedBindingWords,
  nodeBinding,
  srunBindingWords,
  type BindingTools,
} from '../../../src/core/launch/binding.ts';

/** DeltaAI's node: four superchips of 72 cores, one NUMA node each. */
const node = (site: Partial<Site> = {}) => ({
  chipsPerNode: 4,
  cores: 288,
  site: { ...plainSite, binding: 'numactl' as const, hostNumaNodes: [0, 1, 2, 3], ...site },
});
const request = { launcher: 'torchrun', ranksPerNode: 4, exclusiveHost: false, bindCores: false } as const;
const program = ['python', '-u', 'train.py', '--words', 'two words'];

describe('nodeBinding', () => {
  it('a run on a part of the node keeps to its share of cores and NUMA nodes', () => {
    expect(nodeBinding(node(), { ...request, ranksPerNode: 1 })).toMatchObject({
      binding: 'numactl',
      cores: 72,
      hostNumaNodes: [0],
    });
    expect(nodeBinding(node(), { ...request, ranksPerNode: 1, exclusiveHost: true })).toMatchObject({
      cores: 288,
      hostNumaNodes: [0, 1, 2, 3],
    });
  });

  it.each([
    ['deepspeed', 'deepspeed', 'deepspeed'],
    ['deepspeed', 'torchrun', 'numactl'],
    ['srun', 'srun', 'srun'],
    ['srun', 'python', 'numactl'],
    ['numactl', 'deepspeed', 'numactl'],
    ['none', 'deepspeed', 'none'],
  ] as const)("a system's %s under the launcher %s is %s", (binding, launcher, used) => {
    expect(nodeBinding(node({ binding }), { ...request, launcher }).binding).toBe(used);
  });

  it.each([
    ['deepspeed', 'deepspeed'],
    ['torchrun', 'numactl'],
    ['srun', 'srun'],
  ] as const)('--bind-cores under %s, where the system asks for nothing, is %s', (launcher, used) => {
    const system = node({ binding: 'none' });
    expect(nodeBinding(system, { ...request, launcher, bindCores: true }).binding).toBe(used);
  });
});

describe('bindCommand', () => {
  const rank = { ...nodeBinding(node(), request), localRank: 2 };

  it('writes the cores of a known rank and the memory of the run', () => {
    expect(bindCommand(rank, program)).toEqual([
      ...['numactl', '--physcpubind=+144-215', '--membind=0,1,2,3'],
      ...program,
    ]);
  });

  it.each([
    ['the variable LOCAL_RANK', null, { LOCAL_RANK: '3' }],
    ['a placeholder that run.sh expanded', '3', {}],
  ])('a rank that is known only at the start is found by %s', (_name, localRank, env) => {
    // A numactl that prints what it was given: the shell's arithmetic and quoting are what is tested.
    const folder = mkdtempSync(join(tmpdir(), 'superoffload binding '));
    writeFileSync(join(folder, 'numactl'), '#!/bin/sh\nprintf "%s\\n" "$@"\n');
    chmodSync(join(folder, 'numactl'), 0o755);
    const [file = '', ...args] = bindCommand({ ...rank, localRank }, program);
    const printed = execFileSync(file, args, { env: { ...env, PATH: `${folder}:/usr/bin:/bin` } });
    rmSync(folder, { recursive: true });
    expect(printed.toString().trimEnd().split('\n')).toEqual([
      ...['--physcpubind=+216-287', '--membind=0,1,2,3'],
      ...program,
    ]);
  });

  it('leaves out what there is nothing of', () => {
    const plain = { ...rank, hostNumaNodes: null };
    expect(bindCommand({ ...plain, ranksPerNode: 400 }, program)).toEqual(program);
    expect(bindCommand({ ...rank, ranksPerNode: 400 }, program)).toEqual([
      ...['numactl', '--membind=0,1,2,3'],
      ...program,
    ]);
    expect(bindCommand({ ...rank, binding: 'deepspeed' }, program)).toEqual(program);
  });

  const numactl = findOnPath('numactl', process.env);
  it.skipIf(numactl === undefined)('is accepted by numactl itself (skipped: it is not installed)', () => {
    const own = { ...rank, cores: 1, ranksPerNode: 1, localRank: 0, hostNumaNodes: [0] };
    const [file = '', ...args] = bindCommand(own, ['grep', 'allowed_list', '/proc/self/status']);
    expect(execFileSync(file, args).toString()).toMatch(/Cpus_allowed_list:\s+\d+\n/);
  });
});

describe('the words of launchers that bind themselves', () => {
  it('deepspeed names its cores only where they are not the whole node', () => {
    const system = node({ binding: 'deepspeed' });
    const whole = nodeBinding(system, { ...request, launcher: 'deepspeed' });
    const part = nodeBinding(system, { ...request, launcher: 'deepspeed', ranksPerNode: 2 });
    expect(deepspeedBindingWords(whole)).toEqual(['--bind_cores_to_rank']);
    expect(deepspeedBindingWords(part)).toEqual(['--bind_cores_to_rank', '--bind_core_list=0-143']);
    expect(deepspeedBindingWords(nodeBinding(node(), request))).toEqual([]);
  });

  it('srun gets cores a task, and a mask of the NUMA nodes', () => {
    const bound = nodeBinding(node({ binding: 'srun' }), { ...request, launcher: 'srun' });
    expect(srunBindingWords(bound)).toEqual([
      ...['--cpus-per-task=72', '--cpu-bind=cores', '--mem-bind=mask_mem:0xf'],
    ]);
    expect(srunBindingWords({ ...bound, hostNumaNodes: null })).toEqual([
      ...['--cpus-per-task=72', '--cpu-bind=cores'],
    ]);
    expect(srunBindingWords({ ...bound, binding: 'numactl' })).toEqual([]);
  });
});

describe('bindingFaults', () => {
  const there: BindingTools = {
    numactl: { path: '/usr/bin/numactl', version: 'policy: default' },
    numaNodes: [0, 1, 2, 3, 4],
    env: {},
  };
  const bound = nodeBinding(node(), request);

  it('none where all is there, or nothing is bound by numactl', () => {
    expect(bindingFaults(bound, 'deltaai', there)).toEqual([]);
    const none = { ...there, numactl: { path: null, version: null } };
    expect(bindingFaults({ ...bound, binding: 'none' }, 'x', none)).toEqual([]);
    expect(bindingFaults({ ...bound, binding: 'srun' }, 'x', none)).toEqual([]);
  });

  it.each(['numactl', 'deepspeed'] as const)('%s without numactl says what to install', (binding) => {
    const tools = { ...there, numactl: { path: null, version: null } };
    expect(bindingFaults({ ...bound, binding }, 'deltaai', tools)).toEqual([
      {
        place: `system deltaai, binding by ${binding}`,
        problem: 'needs numactl, which is not on PATH',
        expected:
          'numactl, by apt install numactl or dnf install numactl; or "binding": "none" in the system file',
      },
    ]);
  });

  it('a numactl that a container forbids, NUMA nodes that are not there: all at once', () => {
    const tools = { ...there, numactl: { path: '/usr/bin/numactl', version: null }, numaNodes: [0] };
    expect(bindingFaults(bound, 'deltaai', tools).map(({ problem }) => problem)).toEqual([
      '/usr/bin/numactl does not work here',
      'this machine has no NUMA node 1, 2, 3',
    ]);
  });

  it("KMP_AFFINITY, which DeepSpeed's launcher refuses", () => {
    const tools = { ...there, env: { KMP_AFFINITY: 'compact' } };
    expect(bindingFaults({ ...bound, binding: 'deepspeed' }, 'h100', tools)).toEqual([
      {
        place: 'KMP_AFFINITY',
        problem: 'is set, and --bind_cores_to_rank refuses it',
        expected: 'unset',
      },
    ]);
  });
});
