import { Command } from '@commander-js/extra-typings';
import { describe, expect, it } from 'vitest';
import { declareCaseFlags, requestOf } from '../../../src/cli/flags/case.ts';
import { predictText } from '../../../src/cli/text/predict.ts';
import { predictCases, type PredictReport } from '../../../src/workflows/predict/predict.ts';
import { context } from '../throughput/plan-context.ts';

/** As `predict` is called with these words. */
function predict(words: string): Promise<PredictReport> {
  const command = declareCaseFlags(new Command().exitOverride());
  command.parse(words.split(' '), { from: 'user' });
  const request = requestOf(command.opts(), { dryRun: true });
  return predictCases(context(), { ...request, software: 'measured', pinnedRounding: null });
}

const lacking = [
  // The host is short: no batch helps, other modes do.
  '--system h200 --mode prism --model 5B',
  // The GPU is, by what grows with the batch.
  '--system h200 --mode ddp --model 5B --micro-batch 32 --global-batch 32',
  '--system h200 --mode zero_offload --model 5B --sequence-length 16384 --micro-batch 8',
  // The share of one chip is, and its node has more.
  '--system deltaai --mode prism --model 10B',
  '--system gh200-nvl2 --chips 2 --mode zero_2 --model 10B',
  // The spare blocks of the overlap optimizer are too many.
  '--system h200 --mode prism_overlap --model 15B --ratio 0.54 --micro-batch 1 --global-batch 1 --activation-checkpointing',
  // No mode fits as it is, SuperOffload does with more of the optimizer on the GPU.
  '--system h200 --mode zero_offload --model 7B',
  // None does in another mode or with recomputation alone: both together.
  '--system gh200 --mode zero_offload --model 25B',
];

describe('what would make a case fit', () => {
  it.each(lacking)('is predicted to fit, when it is asked for: %s', async (words) => {
    const [subject] = (await predict(words)).cases;
    expect(subject?.prediction.fits).toBe(false);
    expect(subject?.runMs).toBeNull();
    expect(subject?.wouldFit.length).toBeGreaterThan(0);
    for (const way of subject?.wouldFit ?? []) {
      // The last of two flags of a name stands, as on a command line; a mode is added to a list.
      const kept = way.startsWith('--mode') ? words.replace(/--mode \S+/, '') : words;
      const { cases } = await predict(`${kept} ${way}`.replaceAll(/ +/g, ' ').trim());
      expect(cases, way).toHaveLength(1);
      expect(cases[0]?.prediction.fits, way).toBe(true);
    }
  });

  it('is of each kind: batch, recomputation, mode, ratio, the whole node, chips', async () => {
    const ways = (await Promise.all(lacking.map(predict))).flatMap(({ cases }) => cases[0]?.wouldFit ?? []);
    for (const kind of [
      /^--micro-batch \d+ --global-batch/,
      /^--activation-checkpointing$/,
      /^--mode/,
      /^--ratio 0\.\d+$/,
      /^--mode prism_overlap --ratio 0\.\d+$/,
      /^--mode prism_overlap .*--activation-checkpointing$/,
      /^--ds superoffload\.speculation=0$/,
      /^--exclusive-host$/,
      /^--chips/,
    ])
      expect(
        ways.some((way) => kind.test(way)),
        String(kind),
      ).toBe(true);
  });

  it('is said, and so is that nothing is', async () => {
    expect(predictText(await predict(lacking[0]!))).toMatch(
      /^would fit, by the same prediction, with one of:\n {2}--ratio 0\.\d+\n {2}--mode prism_overlap\n/m,
    );
    const nothing = await predict('--system h200 --mode prism --model 200B');
    expect(nothing.cases[0]?.wouldFit).toEqual([]);
    expect(predictText(nothing)).toMatch(/^would not fit with .*choose a smaller --model$/m);
    expect(predictText(nothing)).not.toContain('run of');
    const table = predictText(await predict('--system h200 --mode prism --model 5B --model 2B'));
    expect(table).toMatch(/^prism 5B would fit with --ratio 0\.\d+, or /m);
    expect((await predict('--system h200 --mode prism --model 2B')).cases[0]?.wouldFit).toEqual([]);
  });
});
