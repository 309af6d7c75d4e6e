import { appendFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRecord } from '../../../src/adapters/stored-runs.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { tuneExitCode } from '../../../src/cli/screens/tune.ts';
import { tuneText } from '../../../src/cli/text/tune.ts';
import { SuperOffloadError } from '../../../src/errors.ts';
import { tune } from '../../../src/workflows/tune/tune.ts';
import { offloadIsFastest, textOf, toyTuning, type ToyTuning } from './toy-tuning.ts';

let toy: ToyTuning;
beforeEach(async () => {
  toy = await toyTuning();
  toy.setSpeed(offloadIsFastest);
});
afterEach(() => {
  toy.remove();
});

const file = 'tiny-1chip-b8-s128';

describe('tune', () => {
  it('finds the fastest by few trials, ends those that cannot win, and writes the choice', async () => {
    const plan = await toy.plan();
    const [size] = await tune(toy.context, plan);
    expect(size?.choice).toMatchObject({
      mode: 'zero_offload',
      case: { microBatch: 8 },
      needsPatches: false,
    });
    expect(size!.trials.length).toBeLessThanOrEqual(8);
    const chosen = size!.trials.find(({ isChoice }) => isChoice);
    expect(chosen?.result).toMatchObject({ kind: 'measured', isWhole: true });
    const slow = size!.trials.filter(({ mode }) => mode === 'zero_infinity_param');
    expect(slow.map(({ result }) => result)).toMatchObject([{ kind: 'measured', isWhole: false }]);
    const record = readRecord(toy.home, slow[0]!.runId) as RunRecord;
    expect(record).toMatchObject({ experiment: 'throughput', exit: { stoppedBy: 'abandoned' } });
    expect(record.abandoned?.aboveMs).toBeGreaterThan(150);
    expect(record.lastIteration).toBeLessThan(40);
    expect(JSON.parse(textOf(toy.cwd, 'tuned', `${file}.json`))).toMatchObject({
      train_micro_batch_size_per_gpu: 8,
      zero_optimization: { stage: 2, offload_optimizer: { device: 'cpu' } },
    });
    expect(textOf(toy.cwd, 'tuned', `${file}.txt`)).toContain(size!.choice!.command);
    const text = tuneText(plan, [size!]);
    expect(text).toContain('FUNCTIONAL');
    expect(text).toContain(`written: tuned/${file}.json`);
    expect(tuneExitCode([size!])).toBe(0);
  });

  it('launches nothing again that stored runs have shown, unless it is asked for', async () => {
    const first = await tune(toy.context, await toy.plan());
    const launched = toy.launches().length;
    const [second] = await tune(toy.context, await toy.plan());
    expect(toy.launches()).toHaveLength(launched);
    expect(second?.trials.every(({ isStored }) => isStored)).toBe(true);
    expect(second?.choice?.case).toEqual(first[0]?.choice?.case);
    await tune(toy.context, await toy.plan({ fresh: true }));
    expect(toy.launches().length).toBeGreaterThan(launched);
  });

  it('holds the choice against a published configuration that was measured, whether it is a candidate or not', async () => {
    const other = await toy.plan({ flags: { models: ['tiny'], modes: ['zero_infinity'] } });
    await tune(toy.context, { ...other, command: { ...other.command, out: 'other' } });
    const [size] = await tune(
      toy.context,
      await toy.plan({ flags: { models: ['tiny'], modes: ['zero_offload'] } }),
    );
    const chosen = size!.trials.find(({ isChoice }) => isChoice);
    expect(chosen).toMatchObject({ mode: 'zero_offload', ratio: 1 });
    toy.setSpeed('ms=60');
    const [fast] = await tune(
      toy.context,
      await toy.plan({ flags: { models: ['tiny'], modes: ['zero_2'] }, force: true }),
    );
    expect(fast!.trials.find(({ isChoice }) => isChoice)?.ratio).toBeCloseTo(100 / 60, 1);
  });

  it('goes on after Ctrl-C: what was finished counts as its trials, what was cut is run again', async () => {
    toy.setPause(0.03);
    const stop = new AbortController();
    const context = toy.withSignal(stop.signal);
    const ended = new SuperOffloadError({ code: 'interrupted', message: 'stopped by SIGINT' });
    const watch = setInterval(() => {
      if (toy.launches().length === 2) stop.abort(ended);
    }, 20);
    await expect(tune(context, await toy.plan())).rejects.toBe(ended);
    clearInterval(watch);
    expect(toy.notes().at(-1)).toBe(
      `${file}: 1 trial finished, all kept as runs; the same command goes on from there`,
    );
    toy.setPause(0);
    const [size] = await tune(toy.context, await toy.plan());
    expect(toy.notes()).toContain('going on with 1 trial of a tuning that was stopped');
    expect(size?.trials[0]).toMatchObject({ isStored: false, runId: toy.launches()[0] });
    expect(size?.trials.map(({ runId }) => runId)).not.toContain(toy.launches()[1]);
    expect(size?.choice?.mode).toBe('zero_offload');
  });

  it('counts trials of a stopped tuning against its budget', async () => {
    await tune(toy.context, await toy.plan({ budget: { maxTrials: 1, maxMinutes: 8, memoryMargin: 0.05 } }));
    const [journal] = readdirSync(join(toy.home, 'tunes')).filter((name) => name.endsWith('.ndjson'));
    const path = join(toy.home, 'tunes', journal!);
    const lines = textOf(path)
      .split('\n')
      .filter((line) => line !== '' && !line.includes('"end"'));
    // As SIGKILL leaves it: no end, and half a line.
    writeFileSync(path, lines.join('\n'));
    appendFileSync(path, '\n{"type":"tri');
    const two = { maxTrials: 2, maxMinutes: 8, memoryMargin: 0.05 };
    const [size] = await tune(toy.context, await toy.plan({ budget: two }));
    expect(size?.trials.filter(({ isStored }) => !isStored)).toHaveLength(2);
    expect(toy.launches()).toHaveLength(2);
  });

  it('says that all failed, with the log of each', async () => {
    toy.setStart('echo "RuntimeError: no such device" >&2; exit 1');
    const plan = await toy.plan();
    const sizes = await tune(toy.context, plan);
    expect(sizes[0]?.choice).toBeNull();
    expect(tuneExitCode(sizes)).toBe(4);
    expect(tuneText(plan, sizes)).toMatch(/failed: zero_offload: crash: .*\n +log: superoffload runs logs/);
    expect(existsSync(join(toy.cwd, 'tuned'))).toBe(false);
  });

  it('leaves a way that runs out of memory, and takes another', async () => {
    const oom = `case $config in *'"stage":2'*) echo 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.'; exit 1 ;; esac`;
    toy.setStart(oom);
    const [size] = await tune(toy.context, await toy.plan());
    expect(size?.trials.some(({ result }) => result.kind === 'memory')).toBe(true);
    expect(size?.choice?.mode).toBe('zero_infinity');
  });

  it('gives a trial no more time than is left, and each size a budget of its own', async () => {
    const budget = { maxTrials: 1, maxMinutes: 2, memoryMargin: 0.05 };
    const plan = await toy.plan({ flags: { models: ['tiny', 'tiny-1M'], modes: ['zero_offload'] }, budget });
    const sizes = await tune(toy.context, plan);
    expect(sizes.map(({ choice }) => choice?.model)).toEqual(['tiny', 'tiny-1M']);
    expect(toy.launches()).toHaveLength(2);
    const { limits } = JSON.parse(textOf(toy.home, 'runs', toy.launches()[0]!, 'plan.json')) as RunPlan;
    expect(limits.timeoutMs).toBeGreaterThan(60_000);
    expect(limits.timeoutMs).toBeLessThanOrEqual(120_000);
  });
});

describe('files of a tuning', () => {
  const none = { maxTrials: 0, maxMinutes: 8, memoryMargin: 0.05 };

  it('are written again by the same tuning, and by no other', async () => {
    await tune(toy.context, await toy.plan({ budget: none }));
    await tune(toy.context, await toy.plan({ budget: none }));
    const other = await toy.plan({ budget: none, flags: { models: ['tiny'], modes: ['zero_infinity'] } });
    await expect(tune(toy.context, other)).rejects.toThrow(`tuned/${file}.json is of another tuning`);
    await tune(toy.context, { ...other, command: { ...other.command, force: true } });
    expect(textOf(toy.cwd, 'tuned', `${file}.json`)).toContain('"stage": 3');
  });

  it('are left alone where somebody changed or made them', async () => {
    await tune(toy.context, await toy.plan({ budget: none }));
    const path = join(toy.cwd, 'tuned', `${file}.json`);
    writeFileSync(path, '{}\n');
    await expect(tune(toy.context, await toy.plan({ budget: none }))).rejects.toThrow(
      `tuned/${file}.json was changed since it was written`,
    );
    expect(textOf(path)).toBe('{}\n');
    writeFileSync(join(toy.cwd, 'tuned', `${file}.txt`), 'notes of mine\n');
    await expect(tune(toy.context, await toy.plan())).rejects.toThrow(
      /is not of a tuning\nnothing was started/,
    );
    expect(toy.launches()).toEqual([]);
  });
});

describe('what tune refuses', () => {
  it('names every fault at once', async () => {
    const flags = { models: ['tiny', '2Q'], modes: ['none', 'bogus'] };
    const error = await toy.plan({ flags, configFile: 'mine.json' }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(SuperOffloadError);
    const { message } = error as SuperOffloadError;
    for (const what of ['--config', '"bogus"', '2Q']) expect(message).toContain(what);
  });

  it('leaves out a mode that would train wrongly, and says so', async () => {
    const flags = { models: ['2B'], modes: ['prism'], dtype: 'fp16' } as const;
    const [size] = (await toy.plan({ flags, system: 'h200', dryRun: true })).sizes;
    expect(size?.tuning.candidates.map(({ subject }) => subject.mode)).not.toContain('prism');
    expect(size?.tuning.candidates.length).toBeGreaterThan(0);
    expect(size?.rejected.at(-1)).toMatchObject({
      subject: { mode: 'prism' },
      reason: expect.stringContaining('would train wrongly') as string,
    });
  });

  it('says for each mode why nothing fits', async () => {
    const flags = { models: ['200B'], chips: 1 };
    await expect(toy.plan({ flags })).rejects.toThrow(/nothing fits here\n.*zero_offload 200B: needs/s);
  });

  it('is the same tuning by two programs at once', async () => {
    toy.setPause(0.05);
    const running = tune(toy.context, await toy.plan());
    await new Promise((resolve) => setTimeout(resolve, 300));
    await expect(tune(toy.context, await toy.plan())).rejects.toThrow('the same is being tuned by another');
    toy.setPause(0);
    await running;
  });
});
