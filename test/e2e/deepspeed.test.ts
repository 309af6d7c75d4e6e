import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../src/adapters/free-port.ts';
import { processesOfRun } from '../../src/adapters/processes.ts';
import type { RunPlan } from '../../src/core/plan/run-plan.ts';
import type { RunRecord } from '../../src/core/results/record.ts';
import { realStack, sharedHome } from '../real-stack.ts';
import { createSandbox, expectNoStack, startedRun, until, type Running } from './program.ts';

/** The real DeepSpeed on CPU ranks, few runs and each for several questions: one costs 9 to 18 s of CPU. */
const timeout = 600_000;
const box = createSandbox();

const twoRanks = ['throughput', '--chips', '2', '--model', 'tiny', '--mode', 'zero_infinity', '--steps', '6'];

beforeAll(() => {
  symlinkSync(join(sharedHome, 'stacks'), join(box.home, 'stacks'));
});

interface Report {
  readonly records: readonly RunRecord[];
  readonly ratios: readonly { readonly ratio: { readonly basis: string } }[];
  readonly skipped: readonly { readonly kind: string; readonly case: { readonly mode: string } }[];
}

/** The process of a rank, by the environment that its launcher gave it. */
function processOfRank(runId: string, rank: number): number | undefined {
  return processesOfRun(runId).find((pid) => {
    const words = read(`/proc/${pid}/environ`).split('\0');
    return words.includes(`RANK=${rank}`) && read(`/proc/${pid}/cmdline`).includes('train.py');
  });
}

function read(path: string): string {
  return existsSync(path) ? readFileSync(path, 'latin1') : '';
}

/** Starts a run and waits for its third step, so that what happens then happens to a run that works. */
async function startAndStep(argv: readonly string[]): Promise<{ running: Running; runId: string }> {
  const running = box.start(['throughput', '--model', 'tiny', '--steps', '5000', '--all-steps', ...argv]);
  const runId = await startedRun(running);
  await until('a step is made', () => running.stderr().includes('step 1/'), 120_000);
  return { running, runId };
}

describe('superoffload throughput on the real engine', { timeout }, () => {
  it('--chips 1: measures the modes of a CPU, stops when it is stable, says what needs CUDA, exits 0', async () => {
    const { code, stdout, stderr } = await box.run([
      'throughput', '--chips', '1', '--model', 'tiny', '--steps', '1000', '--max-error', '80%',
    ]); // prettier-ignore
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/^FUNCTIONAL: CPU ranks/);
    expect(stdout).toMatch(/prism_overlap +tiny .* ok/);
    expect(stdout).toMatch(/zero_offload +tiny .* ok/);
    expect(stdout).toMatch(/zero_infinity +tiny .*\d\.\d+ \(.*\)~? +ok/);
    expect(stdout).toMatch(/prism +tiny .* not run: needs CUDA/);
    expect(stderr).toMatch(/expected time[^]*zero_offload, tiny.*unknown/);
    const record = await box.lastRecord();
    expect(record).toMatchObject({
      workload: 'builtin',
      functional: true,
      worldSize: 1,
      outcome: { class: 'ok' },
      exit: { exitCode: 0, stoppedBy: 'converged', plannedIterations: 1000 },
      case: { mode: 'zero_infinity', model: { name: 'tiny' }, gradientClipping: 0, dtype: 'bf16' },
      memory: { hostSource: expect.stringMatching(/cgroup|pss/) as string, gpuAllocatedGiB: null },
      throughput: { formula: expect.any(String) as string, mfu: null },
      statistics: { interval: { basis: 'within one run' } },
    });
    expect(record.stepMs.length).toBeLessThan(1000);
    expect(record.statistics?.samples).toBeGreaterThanOrEqual(20);
    expect(record.lastLoss!).toBeLessThan(record.firstLoss!);
    expect(record.memory.hostGiB!).toBeGreaterThan(0.1);
    expect(record.conditions.cpuAdamThreads).toBeGreaterThanOrEqual(1);
    expect(record.stack?.deepspeed).toMatch(/^0\.1[89]/);
  });

  it('--chips 2: two ranks of one batch, as JSON', async () => {
    const { code, stdout, stderr } = await box.run([...twoRanks, '--json']);
    expect(code, stderr).toBe(0);
    const { records, skipped } = JSON.parse(stdout) as Report;
    expect(skipped).toEqual([]);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      worldSize: 2,
      lastIteration: 6,
      outcome: { class: 'ok' },
      case: { chips: 2, globalBatch: 16, microBatch: 8, gradientAccumulation: 1 },
      facts: { 'world size': '2' },
    });
    expect(records[0]?.stepMs).toHaveLength(6);
  });

  it('a replay of a stored run is the same case with the same loss, and its time is known beforehand', async () => {
    const runs = JSON.parse((await box.run(['runs', 'list', '--json'])).stdout) as {
      runId: string;
      title: string;
    }[];
    const before = runs.find(({ title }) => title.startsWith('zero_infinity, tiny, 2 chips'))!;
    const dry = await box.run([...twoRanks, '--dry-run']);
    expect(dry.stdout).toMatch(/zero_infinity, tiny, 2 chips.* \d+(\.\d+)?m?s/);
    const { code, stdout, stderr } = await box.run(['runs', 'replay', before.runId, '--json']);
    expect(code, stderr).toBe(0);
    const first = JSON.parse((await box.run(['runs', 'show', before.runId, '--json'])).stdout) as RunRecord;
    const again = JSON.parse(stdout) as RunRecord;
    expect(again.runId).not.toBe(first.runId);
    expect(again).toMatchObject({ caseId: first.caseId, stack: first.stack, firstLoss: first.firstLoss });
  });

  it('prism asked for by name is refused here with exit 3 and the reason', async () => {
    const end = await box.run(['throughput', '--mode', 'superoffload', '--model', 'tiny']);
    expect(end.code).toBe(3);
    expect(end.stderr).toContain('needs an NVIDIA GPU');
  });

  it('kill -9 of a rank under torchrun is told by its signal; --config FILE is what runs', async () => {
    const printed = await box.run([
      'config',
      '--chips',
      '2',
      '--model',
      'tiny',
      '--mode',
      'zero_offload',
      '--json',
    ]);
    const [plan] = JSON.parse(printed.stdout) as RunPlan[];
    const config = JSON.parse(plan!.files['ds_config.json']!) as Record<string, object>;
    const mine = {
      ...config,
      zero_optimization: { ...config['zero_optimization'], reduce_bucket_size: 12_345_678 },
    };
    writeFileSync(join(box.cwd, 'mine.json'), JSON.stringify(mine));
    const { running, runId } = await startAndStep([
      '--chips',
      '2',
      '--config',
      'mine.json',
      '--launcher',
      'torchrun',
    ]);
    const folder = join(box.home, 'runs', runId);
    expect(readFileSync(join(folder, 'ds_config.json'), 'utf8')).toContain('12345678');
    process.kill(processOfRank(runId, 1)!, 'SIGKILL');
    const { code, stdout } = await running.ended;
    const record = await box.lastRecord();
    expect({ code, class: record.outcome.class }).toEqual({ code: 4, class: 'killed_unknown' });
    expect(record.outcome.evidence).toContain('SIGKILL');
    expect(record.exit).toMatchObject({ stoppedBy: null, oomKills: 0 });
    expect(stdout).toContain('killed_unknown');
    expect(processesOfRun(runId)).toEqual([]);
  });

  it('kill -9 of the deepspeed launcher, after which `deepspeed` exits 0, is no success, and no rank is left', async () => {
    const { running, runId } = await startAndStep([
      '--chips',
      '2',
      '--mode',
      'zero_offload',
      '--launcher',
      'deepspeed',
    ]);
    const launcher = processesOfRun(runId).find((pid) =>
      read(`/proc/${pid}/cmdline`).includes('deepspeed.launcher.launch\0'),
    );
    process.kill(launcher!, 'SIGKILL');
    const { code, stdout, stderr } = await running.ended;
    expectNoStack({ stdout, stderr });
    const record = await box.lastRecord();
    expect({ code, class: record.outcome.class }).toEqual({ code: 4, class: 'killed_unknown' });
    expect(record).toMatchObject({ worldSize: 2, facts: { 'world size': '2' } });
    expect(processesOfRun(runId)).toEqual([]);
  });

  it('what the trainer refuses of this CPU is a config error with its words', async () => {
    const { code, stdout } = await box.run(['throughput', '--model', 'tiny', '--mode', 'zero_offload', '--dtype', 'fp16']); // prettier-ignore
    const { outcome } = await box.lastRecord();
    expect({ code, class: outcome.class }).toEqual({ code: 4, class: 'config_error' });
    expect(outcome.evidence).toContain('--fp16: ');
    expect(stdout).toContain(outcome.evidence);
  });

  it('a JSON that contradicts itself is refused before anything is started', async () => {
    const config = { bf16: { enabled: true }, fp16: { enabled: true }, zero_optimization: { stage: 2 } };
    writeFileSync(join(box.cwd, 'both.json'), JSON.stringify(config));
    const { code, stderr } = await box.run(['throughput', '--model', 'tiny', '--config', 'both.json']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/both\.json.*fp16/s);
  });

  it('a huge learning rate ends in nan, and the record says from which step on', async () => {
    const printed = await box.run([
      'config',
      '--model',
      'tiny',
      '--mode',
      'zero_offload',
      '--dtype',
      'fp32',
      '--steps',
      '6',
      '--json',
    ]);
    const [plan] = JSON.parse(printed.stdout) as RunPlan[];
    const folder = join(box.cwd, 'nan');
    mkdirSync(folder);
    writeFileSync(join(folder, 'ds_config.json'), plan!.files['ds_config.json']!);
    const end = await box.run(
      ['throughput', '--workload', 'command', '--', ...plan!.command, '--lr', '1e30', '--min-lr', '1e30'],
      // Other tests meet at the port that every plan names until its start.
      { cwd: folder, env: { ...realStack.env, ...plan!.env, MASTER_PORT: String(await freePort()) } },
    );
    const { outcome } = await box.lastRecord();
    expect({ code: end.code, class: outcome.class }).toEqual({ code: 4, class: 'nan_or_inf' });
    expect(outcome.reason).toMatch(/from iteration [1-6] on/);
  });
});
