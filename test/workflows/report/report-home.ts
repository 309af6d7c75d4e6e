import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunRecord } from '../../../src/core/results/record.ts';
import type { Context } from '../../../src/workflows/context.ts';
import {
  writeReport,
  type ReportRequest,
  type ReportResult,
} from '../../../src/workflows/report/write-report.ts';
import { hostileTexts } from '../../core/report/hostile.ts';
import { sampleSystem } from '../../core/sample-plan.ts';
import { goodLog } from '../../core/sample-record.ts';
import { sampleHome, type SampleHome, type SampleRun } from '../records/sample-home.ts';

/** Steps of a run as they look: a slow start, and noise that is the same each time. */
export function steps(ms: number, count = 20): number[] {
  return Array.from({ length: count }, (_, index) => (index === 0 ? 4 * ms : ms + ((index * 7919) % 97)));
}

export const outOfMemory: Partial<RunRecord> = {
  outcome: {
    class: 'gpu_oom',
    reason: 'a rank could not allocate GPU memory',
    evidence: 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.',
    rank: 0,
    hint: 'use a smaller micro-batch',
  },
  ...{ statistics: null, stepMs: [], lastLoss: null, firstLoss: null },
};

const other = sampleSystem({ name: 'gh200', title: 'GH200', gpuName: 'GH200 480GB', link: 'c2c' });

/** Runs of two systems: three modes, a failure, warnings; with logs and plans beside the records. */
export const plainRuns: readonly SampleRun[] = [
  { stepMs: steps(1000) },
  { case: { mode: 'prism', ratio: 0.9 }, stepMs: steps(600) },
  { case: { mode: 'zero_infinity' }, stepMs: steps(2000), record: { warnings: ['the GPU was throttled'] } },
  { case: { microBatch: 64, globalBatch: 64 }, record: outOfMemory },
  { case: { mode: 'prism', ratio: 0.9 }, stepMs: steps(300), record: { system: other } },
];

/** A record whose every text is one that would run a script if a page let it. */
export function hostileRuns(): SampleRun[] {
  return hostileTexts.map((text, index) => ({
    stepMs: steps(1000, 5),
    record: {
      ...{ title: text, experiment: text, caseId: text, warnings: [text, text] },
      facts: { [text]: text, parameters: text, attention: text },
      tool: { version: text, commit: text, dirty: null },
      // Each system has figures of its own: a few are enough.
      ...(index % 6 === 0 ? { system: sampleSystem({ name: text, title: text, gpuName: text }) } : {}),
      outcome: { class: 'crash', reason: text, evidence: text, rank: 0, hint: text },
      stack: { name: text, hash: text, torch: text, deepspeed: text, drift: [text] },
      throughput: { ...noThroughput, formula: text },
    },
  }));
}

const noThroughput = {
  ...{ modelTflopsPerGpu: 1, hardwareTflopsPerGpu: 1, mfu: 0.1, tokensPerSecond: 1, loggedTflopsPerGpu: 1 },
};

export interface ReportHome extends SampleHome {
  readonly out: string;
  readonly write: (change?: Partial<ReportRequest>, context?: Partial<Context>) => Promise<ReportResult>;
}

/** A state folder with runs, and what reports on it. */
export function reportHome(runs: readonly SampleRun[]): ReportHome {
  const home = sampleHome();
  for (const run of runs) addFiles(home.home, home.store(run), run);
  return {
    ...home,
    out: join(home.root, 'report'),
    write: (change = {}, context = {}) =>
      writeReport(
        { ...home.context, ...context },
        { from: [], out: 'report', formats: ['html', 'md', 'csv'], system: null, dryRun: false, ...change },
      ),
  };
}

function addFiles(home: string, { runId }: RunRecord, { stepMs, record }: SampleRun): void {
  const folder = join(home, 'runs', runId);
  const text = record?.title ?? 'train.py';
  mkdirSync(folder, { recursive: true });
  const command = ['python', text, '--hf-token', 'abcdef0123456789abcdef', '--lr', '1'];
  writeFileSync(
    join(folder, 'plan.json'),
    JSON.stringify({ schemaVersion: 1, port: 29500, command, limits: {} }),
  );
  writeFileSync(join(folder, 'ds_config.json'), JSON.stringify({ train_batch_size: 8, note: text }));
  const losses = goodLog(stepMs).map((line, index) => line.replace('1.0E+01', (11 - index / 10).toFixed(3)));
  writeFileSync(join(folder, 'output.log'), `${text}\n${losses.join('\n')}\n`);
}
