import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { runPython } from '../trainer/cases.ts';
import { patches } from './sources.ts';

const overlap = join(patches, 'deepspeed/overlay/deepspeed/runtime/superoffload/overlap');

test('the rules of the overlap optimizer: clipping, subgroups, cores', { timeout: 600_000 }, async () => {
  const end = await runPython([join(import.meta.dirname, 'check_rules.py')]);
  expect(end.code, end.stderr).toBe(0);
  expect(JSON.parse(end.stdout.replace('RESULT ', ''))).toEqual({
    // Guessing gains 100 ms and costs 4: it is worth it unless nearly every step is clipped.
    'waits by clip rate': { '0.0': 0, '0.5': 0, '0.8': 27, '1.0': 991 },
    turns: [9, 1, 16],
    pays: [true, false, false, true, false],
    cut: [[0, 1], [2], [3], [4, 5]],
    'cut faults': 0,
    rotating: [0, 1, 4],
    pieces: [
      [0, 4],
      [4, 8],
      [8, 10],
    ],
    'piece faults': 0,
    'last pieces': [33554432, 25165824, 12582912, 6291456, 3145728, 1572864, 1048576, 524288],
    'in order': [0, 2, 4, 7],
    threads: [16, 4, 1, 2],
    shares: {
      alone: [0, 1, 2, 3],
      'two with all': [
        [0, 1],
        [2, 3],
      ],
      'two in a cgroup': [
        [8, 9],
        [12, 13],
      ],
      'each its own': [
        [0, 1],
        [2, 3],
      ],
      'own ones of other sizes': [[0], [1, 2, 3]],
      'siblings together': [
        [0, 1, 4, 5],
        [2, 3, 6, 7],
      ],
      'siblings outside': [0, 1, 2, 4],
      'more ranks than pieces': [[0], [4]],
      'more ranks than cores': [[5], [5]],
    },
    list: [0, 1, 2, 8],
  });
});

describe('adam.cpp gives the same bits', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adam-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const works = (...command: [string, ...string[]]): boolean =>
    spawnSync(command[0], command.slice(1), { stdio: 'ignore' }).status === 0;
  const build = (compiler: string, name: string, flags: readonly string[]): string => {
    const program = join(folder, name);
    const same = [
      '-O3',
      '-std=c++17',
      '-pthread',
      '-fno-math-errno',
      '-fno-trapping-math',
      '-ffp-contract=off',
    ];
    const source = join(import.meta.dirname, 'adam_cases.cpp');
    const adam = `-DADAM="${join(overlap, 'adam.cpp')}"`;
    execFileSync(compiler, [...same, ...flags, adam, source, '-o', program]);
    return program;
  };
  // By GCC 12 on x86-64 with AVX-512, whose results are those of DeepSpeed's cpu_adam (optimizers.test.ts).
  const last = 'halves ae6d630e3970dfaf different 0';
  const expected = (output: string): void => {
    expect(output.trim().split('\n')).toHaveLength(21);
    expect(output).toContain('adam 2 2 1 0 1 9eb0e1635f2b29ce');
    expect(output).toContain('adam 2 2 0 0.1 0 bd909e726f82b025');
    expect(output).toContain(last);
  };

  const native = works('c++', '--version') ? null : 'no c++';
  test.skipIf(native !== null)(
    `with this processor's instructions and without any${native === null ? '' : ` (skipped: ${native})`}`,
    { timeout: 600_000 },
    () => {
      const plain = process.arch === 'x64' ? ['-march=x86-64'] : [];
      const outputs = [['-march=native'], plain].map((flags, i) =>
        execFileSync(build('c++', `native${String(i)}`, flags), { encoding: 'utf8' }),
      );
      expected(outputs[0] ?? '');
      expect(outputs[1]).toBe(outputs[0]);
    },
  );

  const cross = ['aarch64-linux-gnu-g++', 'qemu-aarch64'].filter((name) => !works(name, '--version'));
  const why = cross.length === 0 ? '' : ` (skipped: no ${cross.join(', no ')})`;
  test.skipIf(cross.length > 0)(`on aarch64, with NEON and with SVE${why}`, { timeout: 600_000 }, () => {
    for (const cpu of ['generic', 'neoverse-v1']) {
      const program = build('aarch64-linux-gnu-g++', cpu, ['-static', `-mcpu=${cpu}`]);
      expected(execFileSync('qemu-aarch64', ['-cpu', 'max', program], { encoding: 'utf8' }));
    }
  });
});
