import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { overlapReport } from '../../bench/overlap-report.ts';
import { readSources } from '../../bench/overlap-runs.ts';

const sources = await readSources();

describe('bench/overlap.ts', () => {
  it('prints bench/overlap.md of what bench/measured holds', () => {
    const path = join(import.meta.dirname, '../../bench/overlap.md');
    expect(overlapReport(sources)).toBe(readFileSync(path, 'utf8'));
  });

  it('takes every number from the steps of the runs', () => {
    const [{ records }] = sources as [(typeof sources)[number]];
    const step = (mode: string, ratio: number | null): number => {
      const found = records.find(
        ({ case: subject }) =>
          subject?.mode === mode && subject.ratio === ratio && subject.model.name === '2B',
      );
      const steady = found!.stepMs.slice(1).sort((a, b) => a - b);
      const middle = (steady.length - 1) / 2;
      return (steady[Math.floor(middle)]! + steady[Math.ceil(middle)]!) / 2;
    };
    const [plain, overlap] = [step('zero_offload', null), step('prism_overlap', 1)];
    const report = overlapReport(sources);
    expect(report).toContain(`| ${(plain / 1000).toFixed(3)} `);
    expect(report).toContain(`| ${(overlap / 1000).toFixed(3)} `);
    expect(report).toContain(`| ${(plain / overlap).toFixed(2)} (`);
  });

  it('says how far a step is above the bound of its machine, where that was measured', () => {
    const [before, campaigns] = sources as [(typeof sources)[number], (typeof sources)[number]];
    expect([before.limits, campaigns.limits?.adam.length]).toEqual([null, 4]);
    const row = /5B .* prism_overlap +\| 1 +\| 1\.328 .* \| 5% +\|/;
    expect(overlapReport([campaigns])).toMatch(row);
    const report = overlapReport([{ ...campaigns, limits: null }]);
    expect(report).not.toMatch(row);
    expect(report).toMatch(/2B, ratio 1 +\| within 15% of the bound +\| not measured/);
    const faster = {
      ...campaigns.limits!,
      adam: campaigns.limits!.adam.map((rates) => ({ ...rates, adamNs: rates.adamNs / 2 })),
    };
    expect(overlapReport([{ ...campaigns, limits: faster }])).toMatch(/within 15% .* not reached \|/);
  });

  it('says the batch of all GPUs, and how it is accumulated', () => {
    const [source] = sources as [(typeof sources)[number]];
    const records = source.records.slice(0, 1).map((record) => ({
      ...record,
      case: { ...record.case!, chips: 2, microBatch: 4, gradientAccumulation: 2, globalBatch: 16 },
    }));
    expect(overlapReport([{ ...source, records }])).toMatch(/ \| 2 +\| 16 \(4x2\) +\|/);
  });

  it('says that a target was not measured, not reached, and that memory differs', () => {
    const [source] = sources as [(typeof sources)[number]];
    const records = source.records
      .filter(({ case: subject }) => subject?.model.name === '2B')
      .map((record) =>
        record.case?.ratio === 0.9
          ? { ...record, memory: { ...record.memory, gpuAllocatedGiB: 40 } }
          : record.case?.mode === 'prism_overlap'
            ? {
                ...record,
                statistics: { ...record.statistics!, medianMs: 900 },
                stepMs: record.stepMs.map((ms) => 2 * ms),
              }
            : record,
      );
    const report = overlapReport([{ ...source, records }]);
    expect(report).toMatch(/at most 0\.75 s a step +\| 0\.900 s .* not reached \|/);
    expect(report).toMatch(/5B, ratio 1 +\| at most 1\.75 s a step +\| not measured/);
    expect(report).toMatch(/ratio 0\.9 .* \(memory\) +\|/);
    expect(report).not.toMatch(/5\.143e9/);
  });
});
