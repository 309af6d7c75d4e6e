import { describe, expect, it } from 'vitest';
import { throughputTable } from '../../../src/cli/text/throughput-table.ts';
import type { ModeName } from '../../../src/core/experiment/case.ts';
import { modeRatios, summarizeCases } from '../../../src/core/results/summarize.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { samplePlan, sampleSystem } from '../../core/sample-plan.ts';
import { goodLog, iterationLines, recordOf } from '../../core/sample-record.ts';

const steps = Array.from({ length: 30 }, (_, index) => 100 + ((index * 7) % 5) / 10);
const good = (change = {}): RunRecord => recordOf(goodLog(steps), { plan: samplePlan(change) });
const crashed = (): RunRecord => recordOf(iterationLines([1, 2, 3]), { plan: samplePlan() });

function table(records: readonly RunRecord[], system = sampleSystem()): string {
  const summaries = summarizeCases(records);
  return throughputTable(system, { summaries, ratios: modeRatios(summaries) }, []);
}

describe('throughputTable', () => {
  it('says on top what the hardware is worth', () => {
    expect(table([good()])).toMatch(/^H200 \(PCIe host\): a GPU on PCIe is no superchip/);
    expect(table([good()], sampleSystem({ accelerator: 'cpu', link: 'none' }))).toMatch(
      /^FUNCTIONAL: CPU ranks/,
    );
    expect(table([good()], sampleSystem({ link: 'c2c', title: 'GH200' }))).toMatch(/^GH200\n/);
  });

  it('does not hide a launch that failed behind one that did not', () => {
    const text = table([good(), crashed(), good()]);
    expect(text).toContain('2 ok, 1 killed_unknown');
    expect(text.match(/^killed_unknown: /gm)).toHaveLength(1);
  });

  it('marks a range that is no 95% interval, in its own column and in a ratio', () => {
    const short = recordOf(goodLog([100, 101, 100]), { plan: samplePlan({ mode: 'zero_3', steps: 3 }) });
    const row =
      table([good(), short])
        .split('\n')
        .find((line) => line.startsWith('zero_3')) ?? '';
    expect(row.match(/~/g)).toHaveLength(2);
  });

  it('shows the step time of a run that was ended, as its TFLOPS: none of both stands alone', () => {
    const stopped: RunRecord = { ...good(), outcome: { ...good().outcome, class: 'time_limit' } };
    const row = table([stopped]).split('\n')[2] ?? '';
    expect(row).toMatch(/0\.1002 +0\.100\d to 0\.100\d/);
    expect(row).toContain('time_limit');
  });

  it('names prism_overlap where prism was slower than zero_offload, and only on a GPU behind PCIe', () => {
    const of = (mode: ModeName, factor: number) =>
      recordOf(goodLog(steps.map((ms) => ms * factor)), { plan: samplePlan({ mode }) });
    const slower = [of('prism', 2.5), of('zero_offload', 1)];
    const hint = /^prism as published is slower than zero_offload here: try --mode prism_overlap/m;
    expect(table(slower)).toMatch(hint);
    expect(table([of('prism', 0.8), of('zero_offload', 1)])).not.toMatch(hint);
    expect(table([...slower, of('prism_overlap', 0.5)])).not.toMatch(hint);
    for (const system of [{ link: 'c2c' }, { accelerator: 'cpu', link: 'none' }] as const) {
      expect(table(slower, sampleSystem(system))).not.toMatch(hint);
    }
  });

  it('names what makes a ratio unfair', () => {
    const text = table([good(), good({ mode: 'zero_3', dtype: 'fp32' })]);
    expect(text).toMatch(/^! zero_3 2B: not a fair ratio: dtype fp32 against bf16/m);
  });
});
