import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runPython, type ProcessEnd } from './cases.ts';

type Times = readonly [begin: number, end: number];

interface Timeline {
  readonly iteration: number;
  readonly stepMs: number;
  readonly phases: readonly (readonly [string, number, number])[];
  readonly adam: readonly (readonly [number, number, number])[];
  readonly waits: readonly (readonly [number, number, number | null, string])[];
  readonly notes: readonly (readonly [string, number, number])[];
}

const trainer = join(import.meta.dirname, '..', '..', 'experiment', 'trainer', 'train.py');
const published = join(import.meta.dirname, 'published_on_cpu.py');
const cpu = { device: 'cpu', pin_memory: false };
const stage3 = { stage: 3, reduce_bucket_size: 20_000, sub_group_size: 40_000, overlap_comm: false };

/** Three steps of two micro-steps, the second of which is watched. */
async function traced(
  script: string,
  json: object,
): Promise<{ readonly end: ProcessEnd; readonly timeline: Timeline; readonly files: readonly string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'timeline-'));
  try {
    const [config, file] = [join(folder, 'ds_config.json'), join(folder, 'timeline.json')];
    writeFileSync(config, JSON.stringify({ gradient_clipping: 0, bf16: { enabled: true }, ...json }));
    const shape = '--num-layers 2 --hidden-size 64 --num-attention-heads 4 --seq-length 32 --vocab-size 512';
    const batch = '--micro-batch-size 2 --global-batch-size 4 --train-iters 3 --bf16';
    const end = await runPython([script, ...`${shape} ${batch} --deepspeed_config`.split(' '), config], {
      env: { SUPEROFFLOAD_TRACE: file, SUPEROFFLOAD_TRACE_STEP: '2' },
    });
    expect(end.code, end.stderr).toBe(0);
    expect(end.stderr).not.toContain('timeline:');
    const timeline = JSON.parse(readFileSync(file, 'utf8')) as Timeline;
    return { end, timeline, files: readdirSync(folder) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const named = ({ notes }: Timeline, name: string): Times[] =>
  notes.filter(([what]) => what === name).map(([, begin, end]) => [begin, end]);
const begins = (times: readonly Times[]): number[] => times.map(([begin]) => begin);
const lastStep = ({ phases }: Timeline): Times => {
  const [, begin = 0, end = 0] = phases.at(-1) ?? [];
  return [begin, end];
};
/** Every interval of it is within another. */
const isWithin = (times: readonly Times[], [begin, end]: Times): boolean =>
  times.length > 0 && times.every(([from, to]) => from >= begin && to <= end);

describe('SUPEROFFLOAD_TRACE names a file for the timeline of one step', () => {
  it('of ZeRO-Offload', { timeout: 600_000 }, async () => {
    const { end, timeline } = await traced(trainer, {
      zero_optimization: { stage: 2, offload_optimizer: cpu },
    });
    const { iteration, stepMs, phases, adam } = timeline;
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
    const parameters = Number(/parameters: (\d+)/.exec(end.stdout)?.[1]);
    expect(adam.reduce((sum, [, , elements]) => sum + elements, 0)).toBeGreaterThanOrEqual(parameters);
    const adams = adam.map(([from, to]): Times => [from, to]);
    expect(isWithin(adams, lastStep(timeline))).toBe(true);
    // Gradients come down in the backward passes, and the weights are cast and copied after Adam.
    expect(named(timeline, 'gradients').length).toBeGreaterThan(2);
    const [firstStep] = times.slice(4);
    expect(Math.max(...named(timeline, 'gradients').flat())).toBeLessThan(lastStep(timeline)[0]);
    expect(Math.min(...named(timeline, 'gradients').flat())).toBeLessThan(firstStep ?? 0);
    expect(isWithin(named(timeline, 'parameters'), [adams[0]?.[1] ?? stepMs, stepMs])).toBe(true);
    expect(timeline.waits).toEqual([]);
  });

  it(
    "of SuperOffload as published: its worker's copies, both queues, and who waits",
    { timeout: 600_000 },
    async () => {
      const { end, timeline, files } = await traced(published, {
        zero_optimization: { ...stage3, offload_optimizer: { ...cpu, ratio: 1, super_offload: true } },
      });
      expect(end.stdout).toContain('offload optimizer: published');
      expect(end.stdout).toContain("copy_ is PyTorch's: True");
      expect(files).toEqual(['ds_config.json', 'timeline.json']);
      const { stepMs, adam, waits } = timeline;
      const to = named(timeline, 'queue to worker');
      const copies = named(timeline, 'worker copy');
      const back = named(timeline, 'queue from worker');
      expect(adam.length).toBeGreaterThan(2);
      expect([to, copies, back].map((each) => each.length)).toEqual([adam.length, adam.length, adam.length]);
      // One subgroup after another: out of the queue, copied, stepped, and back.
      adam.forEach(([begin, finish], index) => {
        expect(to[index]?.[1]).toBe(copies[index]?.[0]);
        expect(copies[index]?.[1]).toBe(begin);
        expect(back[index]?.[0]).toBeGreaterThanOrEqual(finish);
      });
      // The worker waits for the first gradients from the beginning of the step, and never while it works.
      expect(waits.map(([, , , what]) => what)).toEqual(waits.map(() => 'wait for gradients'));
      expect(waits[0]?.[0]).toBeLessThanOrEqual(0);
      for (const [begin, finish] of waits)
        expect(adam.some(([from, until]) => from < finish && until > begin)).toBe(false);
      // The weights of each come back by the queue, and then to the model; the vectors' 1,792 are too small to be noted there.
      const weights = named(timeline, 'parameters');
      expect(weights.length).toBeGreaterThanOrEqual(2 * adam.length - 1);
      expect(isWithin(weights, [adam[0]?.[1] ?? stepMs, stepMs])).toBe(true);
      expect(isWithin(named(timeline, 'wait for worker'), lastStep(timeline))).toBe(true);
    },
  );

  it(
    'of the overlap optimizer: its thread waits for gradients, the step for it',
    { timeout: 600_000 },
    async () => {
      const { timeline } = await traced(trainer, {
        superoffload: { optimizer: 'overlap' },
        zero_optimization: { ...stage3, offload_optimizer: { ...cpu, ratio: 1 } },
      });
      const { adam, waits } = timeline;
      expect(adam.length).toBeGreaterThan(1);
      expect(waits.every(([, , , what]) => what === 'wait for gradients')).toBe(true);
      expect(Math.min(...waits.map(([begin]) => begin))).toBeLessThan(timeline.phases[0]?.[2] ?? 0);
      for (const name of ['gradients', 'parameters', 'wait for Adam'])
        expect(named(timeline, name).length, name).toBeGreaterThan(0);
      expect(Math.min(...begins(named(timeline, 'parameters')))).toBeGreaterThan(adam[0]?.[0] ?? Infinity);
      expect(named(timeline, 'queue to worker')).toEqual([]);
    },
  );
});

interface Checks {
  readonly [name: string]: unknown;
}

describe("the parts of the trainer's timeline", { timeout: 600_000 }, () => {
  let end: ProcessEnd | undefined;
  const checks = async (): Promise<Checks> => {
    end ??= await runPython([join(import.meta.dirname, 'check_notes.py')]);
    expect(end.code, end.stderr).toBe(0);
    return JSON.parse(end.stdout) as Checks;
  };

  it('nothing of it is loaded where no timeline is asked for', async () => {
    expect((await checks())['untraced']).toBe(false);
  });

  it('a subgroup is in the queue until the worker takes it, also behind another one; a second time too', async () => {
    const { queues, 'queue of another step': other } = await checks();
    expect(queues).toEqual([
      ['queue to worker', 10, 12],
      ['wait for gradients', -40, 10],
      ['worker copy', 12, 15],
      ['queue to worker', 11, 21.5],
      ['worker copy', 21.5, 22],
      ['queue to worker', 40, 43],
      ['wait for gradients', 31, 40],
      ['worker copy', 43, 44],
      ['queue from worker', 20.5, 25],
      ['queue from worker', 30.5, 33],
      ['queue from worker', 51, 52],
    ]);
    expect(other).toEqual([
      ['wait for gradients', -9, -8],
      ['worker copy', -8, -7],
    ]);
  });

  it("of the GPU's trace are kernels, copies and the calls that wait, but those of the optimizer's own thread", async () => {
    const { gpu, 'waits of others': waits, without } = await checks();
    expect(gpu).toEqual({
      compute: [[6, 6.5]],
      copies: [['Memcpy DtoH (Device -> Pinned)', 7, 7.1, 8, 7]],
      waits: [
        [8, 8.4],
        [9, 9.6],
      ],
    });
    expect(waits).toEqual([['wait for GPU', 8, 8.4]]);
    expect(without).toEqual([[[0, 10]], [[0, 2], [3, 5], [7, 10]], [[1, 9]], [], [[0, 2], [8, 10]]]); // prettier-ignore
  });

  it('what is watched is as before afterwards, its errors are its own, and what cannot be recorded ends no run', async () => {
    const found = await checks();
    expect(found).toMatchObject({ 'as before': true, raised: 'of the run itself', ended: true });
    expect(found['watched']).toEqual(['gradients', 'parameters']);
    for (const what of ['_watch_super_offload', 'CPU Adam', 'the step'])
      expect(end?.stderr).toMatch(new RegExp(`^timeline: .*${what}.* is not recorded: \\w+Error`, 'm'));
  });
});
