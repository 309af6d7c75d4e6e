import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runPython } from './cases.ts';

interface Timeline {
  readonly iteration: number;
  readonly stepMs: number;
  readonly phases: readonly (readonly [string, number, number])[];
  readonly adam: readonly (readonly [number, number, number])[];
}

const trainer = join(import.meta.dirname, '..', '..', 'experiment', 'trainer', 'train.py');

test('SUPEROFFLOAD_TRACE names a file for the timeline of one step', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'timeline-'));
  try {
    const [config, file] = [join(folder, 'ds_config.json'), join(folder, 'timeline.json')];
    const zero = { stage: 2, offload_optimizer: { device: 'cpu' } };
    writeFileSync(
      config,
      JSON.stringify({ gradient_clipping: 0, bf16: { enabled: true }, zero_optimization: zero }),
    );
    const shape = '--num-layers 2 --hidden-size 64 --num-attention-heads 4 --seq-length 32 --vocab-size 512';
    const batch = '--micro-batch-size 2 --global-batch-size 4 --train-iters 3 --bf16';
    const end = await runPython([trainer, ...`${shape} ${batch} --deepspeed_config`.split(' '), config], {
      env: { SUPEROFFLOAD_TRACE: file, SUPEROFFLOAD_TRACE_STEP: '2' },
    });
    expect(end.code, end.stderr).toBe(0);
    const { iteration, stepMs, phases, adam } = JSON.parse(readFileSync(file, 'utf8')) as Timeline;
    expect(iteration).toBe(2);
    const [step] = /iteration +2\/.*?per iteration \(ms\): ([\d.]+)/.exec(end.stdout)?.slice(1) ?? [];
    expect(Math.abs(stepMs - Number(step))).toBeLessThan(0.1 * stepMs + 2);
    // Two micro-steps: each forward, backward and step, one after another within the step.
    const twice = ['forward', 'backward', 'step', 'forward', 'backward', 'step'];
    expect(phases.map(([name]) => name)).toEqual(twice);
    const times = phases.flatMap(([, begin, finish]) => [begin, finish]);
    expect([...times].sort((a, b) => a - b)).toEqual(times);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...times)).toBeLessThanOrEqual(stepMs);
    // Adam is in the second micro-step's step, over every parameter.
    const [, begin = 0, finish = 0] = phases.at(-1) ?? [];
    const parameters = Number(/parameters: (\d+)/.exec(end.stdout)?.[1]);
    expect(adam.reduce((sum, [, , elements]) => sum + elements, 0)).toBeGreaterThanOrEqual(parameters);
    for (const [from, to] of adam) {
      expect(from).toBeGreaterThanOrEqual(begin);
      expect(to).toBeLessThanOrEqual(finish);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
