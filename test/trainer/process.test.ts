import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { losses, runPython } from './cases.ts';
import { zeroOffload } from './matrix.ts';
import { config, tiny } from './tiny-case.ts';

test('a stop file ends two ranks early and cleanly', { timeout: 600_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trainer-stop-'));
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const port = String((server.address() as AddressInfo).port);
  await new Promise((resolve) => server.close(resolve));
  try {
    const json = join(folder, 'ds_config.json');
    const stopFile = join(folder, 'stop');
    writeFileSync(json, JSON.stringify(config(2, 4, zeroOffload)));
    const script = join(import.meta.dirname, '../../experiment/trainer/train.py');
    const argv = [script, ...tiny(100_000, 4), '--deepspeed_config', json, '--stop-file', stopFile];
    const ends = await Promise.all(
      [0, 1].map((rank) =>
        runPython([...argv, `--local_rank=${String(rank)}`], {
          env: { RANK: String(rank), WORLD_SIZE: '2', MASTER_ADDR: '127.0.0.1', MASTER_PORT: port },
          onOutput: (stdout) => {
            if (!existsSync(stopFile) && losses(stdout).length >= 3) writeFileSync(stopFile, '');
          },
        }),
      ),
    );
    expect(ends.map(({ code }) => code)).toEqual([0, 0]);
    const log = ends[0]?.stdout ?? '';
    const steps = losses(log).length;
    expect(steps).toBeGreaterThanOrEqual(3);
    expect(steps).toBeLessThan(100_000);
    expect(log.trimEnd().split('\n').at(-1)).toBe(` training finished | iterations: ${String(steps)} |`);
    expect(ends[1]?.stdout ?? '').not.toContain('iteration ');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Lines of Python that have `script`, the trainer's, whose folder is on the path. */
function besideTrainer(
  imports: string,
  lines: readonly string[],
  ...argv: readonly string[]
): ReturnType<typeof runPython> {
  const script = join(import.meta.dirname, '../../experiment/trainer/train.py');
  const start = [imports, 'script = sys.argv[1]', 'sys.path.insert(0, os.path.dirname(script))'];
  return runPython(['-c', [...start, ...lines].join('\n'), script, ...argv]);
}

test(
  'imported again, as the worker that SuperOffload spawns does, it starts nothing',
  { timeout: 600_000 },
  async () => {
    const lines = [
      "names = runpy.run_path(script, run_name='__mp_main__')",
      "print(sorted(name for name in ('main', 'deepspeed') if name in names or name in sys.modules))",
    ];
    const end = await besideTrainer('import os, runpy, sys', lines, '--not-an-argument');
    expect(end).toEqual({ code: 0, stdout: "['main']\n", stderr: '' });
  },
);

test(
  'host memory is that of the fullest node, however its ranks are counted',
  { timeout: 600_000 },
  async () => {
    // Node, peak PSS, cgroup, its peak: what HostMemory.end() of each rank gives.
    const ranks = {
      'a cgroup a node': [
        ['a', 1, 'job', 50],
        ['a', 2, 'job', 60],
        ['b', 3, 'job', 40],
        ['b', 4, 'job', 45],
      ],
      'a cgroup a task': [
        ['a', 1, 'job/task_0', 20],
        ['a', 2, 'job/task_1', 30],
        ['b', 3, 'job/task_0', 25],
        ['b', 4, 'job/task_1', 26],
      ],
      'no cgroup of one rank': [
        ['a', 10, 'job', 900],
        ['a', 20, 'job', 900],
        ['b', 5, '', 0],
      ],
    };
    const script = join(import.meta.dirname, '../../experiment/trainer/machine.py');
    const program = [
      'import json, runpy, sys',
      "fullest_host = runpy.run_path(sys.argv[1])['fullest_host']",
      'print(json.dumps({name: fullest_host(ends) for name, ends in json.loads(sys.argv[2]).items()}))',
    ].join('\n');
    const { stdout } = await runPython(['-c', program, script, JSON.stringify(ranks)]);
    expect(JSON.parse(stdout)).toEqual({
      'a cgroup a node': [60, 'cgroup'],
      'a cgroup a task': [51, 'cgroup'],
      'no cgroup of one rank': [30, 'pss'],
    });
  },
);

test('takes a DeepSpeed before 0.19.6, which pins memory in no one place', { timeout: 600_000 }, async () => {
  const end = await besideTrainer('import os, runpy, sys, types', [
    "check = runpy.run_path(script, run_name='check')['check_offload_parts']",
    "for name in ('deepspeed', 'deepspeed.utils'):",
    '    sys.modules[name] = types.ModuleType(name)',
    'print(*check({}, object(), True, False))',
    "check({'superoffload': {'host_memory': 'registered'}}, object(), True, False)",
  ]);
  expect(end).toMatchObject({ code: 1, stdout: 'published published\n' });
  expect(end.stderr).toMatch(
    /^config error: superoffload\.host_memory is "registered", but this DeepSpeed has/,
  );
});

test('asks once what the processor is, where DeepSpeed asks three times', { timeout: 600_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trainer-cpuinfo-'));
  try {
    const json = join(folder, 'ds_config.json');
    writeFileSync(json, JSON.stringify(config(1, 4, zeroOffload)));
    const lines = [
      'asked = []',
      'class Counted(subprocess.Popen):',
      '    def __init__(self, command, *args, **options):',
      "        asked.append('cpuinfo' in str(command))",
      '        super().__init__(command, *args, **options)',
      'subprocess.Popen = Counted',
      'sys.argv.pop(0)',
      "runpy.run_path(script, run_name='__main__')",
      "print('asked', sum(asked))",
    ];
    const { code, stdout } = await besideTrainer(
      'import os, runpy, subprocess, sys',
      lines,
      ...tiny(2, 4),
      '--deepspeed_config',
      json,
    );
    expect(code).toBe(0);
    expect(stdout.trimEnd().split('\n').at(-1)).toBe('asked 1');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
