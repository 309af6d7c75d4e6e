import { describe, expect, it } from 'vitest';
import { indexPage } from '../../../src/core/report/page/index-page.ts';
import { runsCsv } from '../../../src/core/report/report-csv.ts';
import { reportMarkdown } from '../../../src/core/report/report-markdown.ts';
import { modeRatios, summarizeCases } from '../../../src/core/results/summarize.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { sampleRecord, type SampleRun } from '../../workflows/records/sample-home.ts';
import { sampleSystem } from '../sample-plan.ts';
import { reportOf, steps } from './sample-report.ts';

const oom: Partial<RunRecord> = {
  outcome: { class: 'gpu_oom', reason: 'out of it', evidence: 'CUDA out of memory', rank: 1, hint: 'less' },
  statistics: null,
  stepMs: [],
};

describe('buildReport', () => {
  it('gives each mode its ratio against the baseline of the same case, the largest first', () => {
    const { ratios } = reportOf(
      { stepMs: steps(1000) },
      { case: { mode: 'prism' }, stepMs: steps(500) },
      { case: { mode: 'zero_infinity' }, stepMs: steps(2000) },
    );
    expect(ratios.map(({ mode, baseline, ratio }) => [mode, baseline, ratio.toFixed(1)])).toEqual([
      ['prism', 'zero_offload', '2.0'],
      ['zero_infinity', 'zero_offload', '0.5'],
    ]);
    expect(ratios[0]?.what).toBe('2B, 1 chip, batch 8, sequence 1024, bf16');
    expect(ratios[0]?.unfair).toEqual([]);
    expect(ratios[0]?.basis).toContain('within one run');
  });

  it('calls a trial that a tuning stopped early by a word of its own, and shows no fault in it', () => {
    const early = { abandoned: { aboveMs: 900 } };
    const data = reportOf({ stepMs: steps(1000) }, { stepMs: steps(1500), record: early });
    expect(data.outcomes).toEqual([
      ['ok', 1],
      ['stopped_early', 1],
    ]);
    expect(runsCsv(data)).toContain(',stopped_early,');
    expect(reportMarkdown(data)).toContain(String.raw`1 ok, 1 stopped\_early`);
    expect(indexPage(data, [], () => '').toString()).toMatch(/<span class="b"\s*>stopped_early<\/span/);
  });

  it('says why a ratio is not fair', () => {
    const { ratios } = reportOf(
      { stepMs: steps(1000) },
      { case: { mode: 'prism', gradientClipping: 1 }, stepMs: steps(500) },
    );
    expect(ratios[0]?.unfair.join()).toContain('clip');
  });

  it('never takes a ratio over two machines, two batches, or runs that searched for a limit', () => {
    const other = { system: sampleSystem({ name: 'gh200', gpuName: 'GH200', gpuGiB: 96 }) };
    const { ratios, systems } = reportOf(
      { stepMs: steps(1000) },
      { case: { mode: 'prism' }, stepMs: steps(500), record: other },
      { case: { mode: 'ddp', globalBatch: 16, gradientAccumulation: 2 }, stepMs: steps(100) },
      {
        case: { mode: 'zero_2', experiment: 'model_size' },
        stepMs: steps(100),
        record: { experiment: 'model_size' },
      },
    );
    expect(ratios).toEqual([]);
    expect(systems.map(({ runs }) => runs)).toEqual([3, 1]);
  });

  it('sets the largest that ran beside the smallest above it that ended for memory', () => {
    const size = (name: string, layers: number): SampleRun => ({
      case: {
        experiment: 'model_size',
        model: { name, layers, hidden: 2048, heads: 32, paddedVocabulary: 50432 },
      },
      record: { experiment: 'model_size' },
    });
    const failed = (run: SampleRun): SampleRun => ({ ...run, record: { ...run.record, ...oom } });
    const { limits } = reportOf(
      failed(size('9B', 90)),
      size('2B', 20),
      failed(size('7B', 70)),
      size('5B', 50),
    );
    expect(limits).toHaveLength(1);
    expect(limits[0]).toMatchObject({ largest: '5B', smallestFailed: '7B', failure: 'gpu_oom' });
  });

  it('keeps limits of another sequence or another model apart, and says tokens as people do', () => {
    const tokens = (sequenceLength: number, name: string): SampleRun => ({
      case: {
        ...{ experiment: 'sequence_length', sequenceLength },
        model: { name, layers: 20, hidden: 2048, heads: 32, paddedVocabulary: 50432 },
      },
      record: { experiment: 'sequence_length' },
    });
    const failed = (run: SampleRun): SampleRun => ({ ...run, record: { ...run.record, ...oom } });
    const { limits } = reportOf(
      tokens(131_072, '1B'),
      failed(tokens(262_144, '1B')),
      failed(tokens(2 ** 20, '2B')),
    );
    expect(limits.map(({ at, largest, smallestFailed }) => [at, largest, smallestFailed])).toEqual([
      ['1B, bf16', '128K tokens', '256K tokens'],
      ['2B, bf16', null, '1M tokens'],
    ]);
  });

  it('prefers a ratio that is fair to a larger one that is not', () => {
    const { ratios } = reportOf(
      { stepMs: steps(1000) },
      { case: { mode: 'prism', gradientClipping: 1 }, stepMs: steps(300) },
      { case: { mode: 'prism' }, stepMs: steps(500) },
    );
    expect(ratios.map(({ ratio, unfair }) => [ratio.toFixed(1), unfair])).toEqual([['2.0', []]]);
  });

  it('agrees with the table of throughput on the same runs', () => {
    const runs: SampleRun[] = [1000, 1010, 990].flatMap((ms) => [
      { stepMs: steps(ms) },
      { case: { mode: 'prism' }, stepMs: steps(ms / 2 + 3) },
    ]);
    const [own] = reportOf(...runs).ratios;
    const [told] = modeRatios(summarizeCases(runs.map((run, index) => sampleRecord(run, index))));
    expect(own).toMatchObject({ ratio: told?.ratio.ratio, low: told?.ratio.low, high: told?.ratio.high });
  });

  it('says no speed-up where there is none', () => {
    const card = (...ms: readonly number[]): string => {
      const modes = ['zero_offload', 'prism', 'zero_infinity'] as const;
      const data = reportOf(
        ...ms.map((each, index) => ({
          case: { mode: modes[index] ?? 'prism' },
          stepMs: steps(each),
          record: { functional: false },
        })),
      );
      return indexPage(data, [], () => '').toString();
    };
    expect(card(1000, 500)).toMatch(/Largest fair speed-up<dd>1\.99\u00d7/);
    expect(card(1000, 2000, 1800)).toMatch(
      /Faster than zero_offload<dd>none<small>of the modes.*closest: zero_infinity, 0\.56/,
    );
    expect(card(1000, 1000)).toMatch(/Faster than zero_offload<dd>none for certain/);
  });

  it('shows no secret that a log printed', () => {
    const secret = `hf_${'q9'.repeat(12)}`;
    const outcome = {
      class: 'crash',
      reason: secret,
      evidence: `https://me:${secret}@h/x`,
      rank: 0,
      hint: null,
    } as const;
    const data = reportOf({
      record: { outcome, warnings: [`token=${secret}`], facts: { data: secret }, title: secret },
    });
    for (const text of [reportMarkdown(data), runsCsv(data), indexPage(data, [], () => '').toString()])
      expect(text).not.toContain('q9q9');
  });

  it('counts outcomes, and shows the proof of a failure or its reason', () => {
    const { outcomes, runs } = reportOf({}, { record: oom }, {});
    expect(outcomes).toEqual([
      ['ok', 2],
      ['gpu_oom', 1],
    ]);
    expect(runs[1]?.proof).toBe('CUDA out of memory');
    // Newest first.
    expect(runs.map(({ record }) => record.startedUtc.slice(14, 16))).toEqual(['02', '01', '00']);
  });

  it('takes no number of a record that is none', () => {
    const memory = {
      gpuAllocatedGiB: '<b>',
      gpuReservedGiB: null,
      hostGiB: 1e999,
      hostSource: null,
      machineGiB: null,
    };
    const { runs } = reportOf({ record: { memory: memory as never } });
    expect([runs[0]?.gpuGiB, runs[0]?.hostGiB]).toEqual([null, null]);
  });
});

describe('the report as CSV and Markdown', () => {
  const data = reportOf({ stepMs: steps(1000) }, { case: { mode: 'prism' }, record: oom });

  it('has a row a run, with units in the header', () => {
    const lines = runsCsv(data).trimEnd().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain('medianStepMs,intervalLowMs,intervalHighMs');
    expect(lines[1]).toContain('gpu_oom,CUDA out of memory');
    expect(lines[2]).toContain(',1003,');
  });

  it('names the page of each run', () => {
    const markdown = reportMarkdown(data);
    for (const { runId } of data.runs) expect(markdown).toContain(`(runs/${runId}.html)`);
    expect(markdown).toContain('CUDA out of memory');
  });
});
