import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { capture } from '../../../src/adapters/exec.ts';
import { stackPaths } from '../../../src/adapters/stack/store.ts';
import { SuperOffloadError } from '../../../src/errors.ts';
import { rollback } from '../../../src/workflows/stacks/rollback.ts';
import type { RollbackRequest } from '../../../src/workflows/stacks/rollback.ts';
import { sharedHome } from '../../real-stack.ts';
import { context, packageRoot } from '../install/context.ts';

const folder = mkdtempSync(join(tmpdir(), 'superoffload rollback '));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const env = { ...process.env, DS_ACCELERATOR: 'cpu', OMP_NUM_THREADS: '1' };
const request: RollbackRequest = { stack: 'pip', sizes: [1, 1001], dryRun: false, allowDrift: true };

/** A state folder whose one stack is the shared one, changed. */
function homeWith(name: string, change: Record<string, unknown>): string {
  const home = join(folder, name);
  const { directory, lock } = stackPaths(home, 'pip');
  mkdirSync(directory, { recursive: true });
  const shared = JSON.parse(readFileSync(stackPaths(sharedHome, 'pip').lock, 'utf8')) as object;
  writeFileSync(lock, JSON.stringify({ upstreams: {}, apex: null, ...shared, schemaVersion: 2, ...change }));
  return home;
}

/** DeepSpeed from a repository: the same packages, beside a work tree with or without the script. */
function deepspeedTree(name: string, script: string | null): Record<string, unknown> {
  const directory = join(folder, name);
  mkdirSync(join(directory, 'tests/superadam'), { recursive: true });
  if (script !== null) writeFileSync(join(directory, 'tests/superadam/rollback.py'), script);
  const source = { url: 'https://example.org/DeepSpeed', ref: 'superoffload', commit: '5'.repeat(40) };
  return {
    upstreams: {
      deepspeed: {
        ...{ ...source, directory, version: null, dirtyDiffSha256: null, tree: '', patches: null },
      },
    },
  };
}

async function failure(home: string, change: Partial<RollbackRequest> = {}): Promise<SuperOffloadError> {
  const error: unknown = await rollback(context(home, env).ctx, { ...request, ...change }).catch(
    (reason: unknown) => reason,
  );
  if (!(error instanceof SuperOffloadError)) throw new Error('it did not fail as expected', { cause: error });
  return error;
}

describe('on DeepSpeed from the package index', () => {
  it('finds its faults, and that later steps come back at rounding level', { timeout: 600_000 }, async () => {
    const command = [
      process.execPath,
      '--import',
      import.meta.resolve('tsx'),
      join(packageRoot, 'src/main.ts'),
    ];
    const { exitCode, stdout, stderr } = await capture(
      [...command, 'rollback', '--sizes', '1,1001', '--allow-drift', '--json'],
      { env: { ...env, SUPEROFFLOAD_HOME: sharedHome }, cwd: folder },
    );
    expect(stderr).toContain('step and roll back on the CPU');
    expect(exitCode).toBe(4);
    const report = JSON.parse(stdout) as Awaited<ReturnType<typeof rollback>>;
    expect(report).toMatchObject({ program: 'own', passed: false, note: null, fork: null });
    const dense = report.checks.filter(({ name }) => name === 'dense');
    expect(dense.map(({ sizes, steps }) => [...sizes, ...steps])).toEqual(
      [1, 1001].flatMap((size) => [1, 2, 10, 1000].map((step) => [size, step])),
    );
    for (const check of dense.filter(({ steps }) => (steps[0] ?? 0) >= 10)) {
      expect(check, JSON.stringify(check)).toMatchObject({ passed: true, problems: [] });
    }
    const first = dense.find(({ sizes, steps }) => sizes[0] === 1001 && steps[0] === 1);
    expect(first?.negativeVariances).toBeGreaterThan(1000);
    expect(first?.nonFiniteLater).toBe(first?.negativeVariances);
    expect(report.knownFaults).toHaveLength(4);
  });
});

describe('on DeepSpeed from a repository', () => {
  const script = [
    'import torch',
    'from deepspeed.ops.adam import DeepSpeedCPUAdam',
    'torch.set_printoptions(precision=3)',
    'weight = torch.nn.Parameter(torch.linspace(-3, 3, 999))',
    'adam = DeepSpeedCPUAdam([weight], lr=0.1)',
    'for step in range(3):',
    '    weight.grad = torch.linspace(5, -7, 999)',
    '    adam.step_subgroup(0)',
    '    print(f"Optimizer Step {step}: Param[:10] = {weight.data[:10]}")',
    'adam.rollback_subgroup(0)',
    'print(f"Rollback Back to Step 1: Param[:10] = {weight.data[:10]}")',
  ].join('\n');

  it("runs the repository's own script and compares what it prints", { timeout: 600_000 }, async () => {
    const home = homeWith('fork', deepspeedTree('src fork', script));
    const report = await rollback(context(home, env).ctx, request);
    expect(report).toMatchObject({ program: 'fork', passed: true, deepspeedCommit: '5'.repeat(40) });
    expect(report.fork).toMatchObject({ step: 1, largestDifference: 0 });
    expect(report.fork?.after).toHaveLength(10);
    expect(report.fork?.output).toContain('Optimizer Step 2: ');
  });

  it('says that the script is not there, and what runs instead', async () => {
    const home = homeWith('without', deepspeedTree('src without', null));
    const { ctx, events } = context(home, env);
    const report = await rollback(ctx, { ...request, dryRun: true });
    const note =
      'tests/superadam/rollback.py is not in the DeepSpeed of stack pip (https://example.org/DeepSpeed at ' +
      "555555555555): this tool's own check runs instead";
    expect(report).toMatchObject({ program: 'own', note, passed: null, checks: [] });
    expect(report.command.slice(-3)).toEqual([
      join(packageRoot, 'experiment/stacks/check_rollback.py'),
      '1',
      '1001',
    ]);
    expect(events).toContainEqual({ type: 'note', message: note });
  });

  it('shows what a script says that ends without a rollback', async () => {
    const home = homeWith('broken', deepspeedTree('src broken', 'raise AttributeError("no rollback")\n'));
    const error = await failure(home);
    expect(error.code).toBe('install');
    expect(error.message).toContain('gave no result (exit status 1)');
    expect(error.message).toContain('| AttributeError: no rollback');
  });
});

describe('what cannot be checked', () => {
  it('a stack that is not there', async () => {
    const error = await failure(folder, { stack: 'fork' });
    expect(error.code).toBe('environment');
    expect(error.hint).toContain('superoffload install --stack fork');
  });

  it('a stack without the CPU Adam', async () => {
    const shared = JSON.parse(readFileSync(stackPaths(sharedHome, 'pip').lock, 'utf8')) as { ops: object };
    const error = await failure(homeWith('without op', { ops: { ...shared.ops, built: [] } }));
    expect(error.code).toBe('install');
    expect(error.message).toContain("without DeepSpeed's cpu_adam");
  });

  it('a Python that has no torch', async () => {
    const path = join(folder, 'python3');
    writeFileSync(path, '#!/bin/sh\necho "ModuleNotFoundError: No module named torch" >&2\nexit 1\n');
    chmodSync(path, 0o755);
    const error = await failure(homeWith('python', { python: { path, version: '3.11.7', base: path } }));
    expect(error.code).toBe('install');
    expect(error.message).toContain('| ModuleNotFoundError: No module named torch');
  });
});
