import { describe, expect, it } from 'vitest';
import { explain } from '../../../../src/core/tune/explain/explain.ts';
import { leadOver } from '../../../../src/core/tune/judge/lead.ts';
import { measuredOf } from '../../../../src/core/tune/measured.ts';
import type { Case } from '../../../../src/core/experiment/case.ts';
import type { Rejected, Trial } from '../../../../src/core/tune/tuning.ts';
import { choiceLines, verdicts } from '../../../../src/core/tune/explain/words.ts';
import { candidate, measured, trialOf, tuningOf } from '../sample-tuning.ts';
import { sampleCase } from '../../sample-case.ts';

const candidates = [
  candidate({ orderMs: 300, why: ['everything fits on the GPU'] }, { mode: 'zero_2' }),
  candidate({ orderMs: 310 }, { mode: 'zero_3' }),
  candidate({ orderMs: 500 }, { mode: 'prism_overlap', ratio: 0.5 }),
  candidate({ orderMs: 1000 }, { mode: 'zero_offload' }),
  candidate({ orderMs: 5000, launchSeconds: 5000 }, { mode: 'zero_infinity' }),
];
const rejected: Rejected[] = [
  {
    subject: sampleCase({ mode: 'prism' }),
    reason: 'needs 132.0 GiB of host memory, 118.8 are there with the margin',
  },
];
const context = { rejected, accelerator: 'cuda', partsOf: () => null } as const;
const trials: Trial[] = [
  measured(0, 300, { gpuGiB: 60, hostGiB: 2 }),
  measured(1, 301),
  measured(2, 600, { isWhole: false }),
  trialOf(3, { kind: 'memory', wall: 'host' }),
];

describe('explain', () => {
  const tuning = tuningOf(candidates, { trials });
  const found = explain(tuning, 0, context);
  const textOf = (mode: string): string | undefined => verdicts(found).find((one) => one.mode === mode)?.text;

  it('says what was chosen, that no offload is needed, and what it leaves', () => {
    expect(found).toMatchObject({ offload: { kind: 'needless' }, isFunctional: false, leavesMargin: true });
    expect(found.left).toEqual({ gpuGiB: 80, hostGiB: 123 });
    const lines = choiceLines(found);
    expect(lines[0]).toBe('no offload needed: all of it fits on the GPU');
    expect(lines).toContain('300 ms a step, 100 model TFLOPS a GPU');
    expect(lines).toContain(
      'left free: 80.0 GiB of GPU memory, 123.0 GiB of host memory; the margin of 5% is kept',
    );
    expect(lines.at(-1)).toBe('4 trials; 1 of the candidates never launched');
  });

  it('says the rate of a toy too, which is far below one TFLOPS', () => {
    const toy = tuningOf(candidates, { trials: [measured(0, 300, { tflopsPerGpu: 0.00237 })] });
    expect(choiceLines(explain(toy, 0, context))).toContain('300 ms a step, 0.00237 model TFLOPS a GPU');
  });

  it('says of each mode what speaks against it, with intervals', () => {
    expect(textOf('zero_2')).toBe('chosen');
    expect(textOf('zero_3')).toBe("301 ms a step, 1.00 times the choice's (0.98 to 1.02): not told apart");
    expect(textOf('prism_overlap')).toBe(
      "600 ms a step, 2.00 times the choice's (1.96 to 2.04), stopped early",
    );
    expect(textOf('zero_offload')).toBe('not chosen: ran out of host memory');
    expect(textOf('zero_infinity')).toMatch(/^not tried: a launch would not have finished/);
    expect(textOf('prism')).toMatch(/^not tried: needs 132\.0 GiB of host memory/);
  });

  it('says what an untried mode could have taken at best', () => {
    const short = candidates.map((one) => ({ ...one, launchSeconds: 10 }));
    const after = explain(tuningOf(short, { trials }), 0, context);
    const text = verdicts(after).find(({ mode }) => mode === 'zero_infinity')?.text;
    expect(text).toMatch(
      /^not tried: \d+ ms a step at best, by prediction and by what the others took; the choice takes 300 ms$/,
    );
  });

  it('says that all would fit where a choice that offloads a part is faster, and what is known of why', () => {
    const part = candidate({ orderMs: 250 }, { mode: 'prism_overlap', ratio: 0.05 });
    const after = tuningOf([...candidates, part], { trials: [measured(0, 300), measured(5, 255)] });
    const partsOf = ({ mode }: Case) =>
      mode === 'zero_2'
        ? [
            { what: 'backward', ms: 150 },
            { what: 'gradients one by one', ms: 62 },
          ]
        : [
            { what: 'backward', ms: 150 },
            { what: 'CPU Adam after the passes', ms: 17 },
          ];
    const lines = choiceLines(explain(after, 5, { ...context, partsOf }));
    expect(lines.slice(0, 2)).toEqual([
      'all of it would fit on the GPU; the choice steps 5% of the optimizer on the CPU, and zero_2, the fastest without ' +
        'offload, takes 300 ms: 1.18 times as long (1.15 to 1.20)',
      'why was not traced; by prediction zero_2 spends on gradients one by one 62 ms more, on CPU Adam after the passes 17 ms less',
    ]);
    const alone = { ...after, trials: [measured(5, 255)] };
    expect(choiceLines(explain(alone, 5, context))[0]).toBe(
      'by prediction all of it would fit on the GPU; the choice steps 5% of the optimizer on the CPU; nothing that offloads ' +
        'nothing was measured whole',
    );
  });

  it('does not say that all would fit where launches have shown that it does not', () => {
    const part = candidate({ orderMs: 250, gpuGiB: 40 }, { mode: 'prism_overlap', ratio: 0.5 });
    const first = (trials: Trial[]): string | undefined =>
      choiceLines(explain(tuningOf([candidates[0]!, part], { trials }), 1, context))[0];
    const chosen = measured(1, 255);
    expect(first([trialOf(0, { kind: 'memory', wall: 'gpu' }), chosen])).toBe(
      'offload is needed: zero_2 ran out of GPU memory',
    );
    expect(first([measured(0, 200, { gpuGiB: 139 }), chosen])).toBe(
      'offload is needed: zero_2 by what trials of its mode took, needs 139.0 GiB of GPU memory a chip, 133.0 are there ' +
        'with the margin',
    );
    // Its own launch says more than what others of its mode took beyond their predictions.
    const like = candidate({ gpuGiB: 40 }, { mode: 'zero_2', microBatch: 4 });
    const fits = candidate({ gpuGiB: 125 }, { mode: 'zero_2' });
    const trials = [measured(0, 300, { gpuGiB: 60 }), measured(1, 280, { gpuGiB: 130 }), measured(2, 255)];
    const ran = explain(tuningOf([like, fits, part], { trials }), 2, context);
    expect(ran.offload).toMatchObject({ kind: 'worthwhile', onGpu: { trial: { index: 1 } } });
    // What failed twice, of whatever, is no matter of memory.
    const failed = trialOf(0, { kind: 'failed', reason: 'crash' });
    expect(first([failed, failed, chosen])).toMatch(/^by prediction all of it would fit on the GPU/);
  });

  it('does not call it all on the GPU where kept activations are on the host', () => {
    const host = candidate({}, { mode: 'ddp', activationCheckpointing: true, activationOffload: true });
    const other = candidate({}, { mode: 'zero_2' });
    const alone = explain(tuningOf([host], { trials: [measured(0, 300)] }), 0, context);
    expect(alone.offload).toEqual({ kind: 'needed', lacking: null });
    const beside = tuningOf([host, other], { trials: [measured(0, 300), measured(1, 400)] });
    expect(choiceLines(explain(beside, 0, context))[0]).toBe(
      'all of it would fit on the GPU; the choice keeps activations on the host, and zero_2, the fastest without offload, ' +
        'takes 400 ms: 1.33 times as long (1.31 to 1.36)',
    );
  });

  it('says that offload is needed, with what is lacking without it', () => {
    const lacking = {
      subject: sampleCase({ mode: 'ddp' }),
      reason: 'needs 150.0 GiB of GPU memory a chip, 132.1 are there with the margin',
    };
    const offloaded = tuningOf(candidates.slice(2), { trials: [measured(0, 600)] });
    const lines = choiceLines(explain(offloaded, 0, { ...context, rejected: [...rejected, lacking] }));
    expect(lines[0]).toBe(`offload is needed: ddp ${lacking.reason}`);
    const ratio0 = candidate({ orderMs: 250 }, { mode: 'prism_overlap', ratio: 0 });
    const none = explain(tuningOf([ratio0], { trials: [measured(0, 250)] }), 0, context);
    expect(none.offload).toEqual({ kind: 'needless' });
  });

  it('labels ranks on the CPU, and claims nothing of a GPU there', () => {
    const onCpu = explain(tuning, 0, { ...context, rejected: [], accelerator: 'cpu' });
    expect(onCpu).toMatchObject({ offload: null, isFunctional: true });
    expect(choiceLines(onCpu).join()).toMatch(/functional: ranks on the CPU/);
  });

  it('chooses nothing where nothing ran', () => {
    const nothing = explain(tuningOf(candidates), null, context);
    expect(choiceLines(nothing)).toEqual(['nothing ran: there is no configuration to choose']);
    expect(nothing.modes.map(({ kind }) => kind)).not.toContain('chosen');
  });

  it('says so where only the margin was left out', () => {
    const tight = tuningOf(candidates, { trials: [measured(0, 300, { gpuGiB: 139 })] });
    expect(choiceLines(explain(tight, 0, context)).join()).toMatch(
      /less than the margin of 5%: nothing else ran/,
    );
    const two = tuningOf(candidates, { trials: [measured(0, 200, { gpuGiB: 139 }), measured(1, 300)] });
    const text = verdicts(explain(two, 1, context)).find(({ mode }) => mode === 'zero_2')?.text;
    expect(text).toMatch(/faster, but it does not leave the margin of memory$/);
  });

  it('knows no difference without intervals', () => {
    const [own, other] = measuredOf(
      tuningOf(candidates, {
        trials: [measured(0, 300), measured(1, 400, { lowStepMs: null, highStepMs: null })],
      }),
    );
    if (own === undefined || other === undefined) throw new Error('two were measured');
    expect(leadOver(other, own)).toEqual({ ratio: 4 / 3, low: null, high: null, isToldApart: null });
  });
});
