import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach } from 'vitest';
import { writePlan } from '../../../src/adapters/run-store.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { samplePlan } from '../../core/sample-plan.ts';
import { goodLog } from '../../core/sample-record.ts';
import {
  exportRuns,
  type ExportReport,
  type ExportRequest,
} from '../../../src/workflows/archive/export-runs.ts';
import { importRuns, type ImportReport } from '../../../src/workflows/archive/import-runs.ts';
import type { Context } from '../../../src/workflows/context.ts';
import { sampleHome, type SampleHome, type SampleRun } from '../records/sample-home.ts';

/** Stores a run with everything that the run loop leaves in its folder. */
export async function storeWhole(
  { home, store }: Pick<SampleHome, 'home' | 'store'>,
  change: SampleRun & { readonly plan?: Partial<RunPlan>; readonly env?: Record<string, string> } = {},
): Promise<RunRecord> {
  const record = store(change);
  const path = join(home, 'runs', record.runId);
  await writePlan(
    { runId: record.runId, path },
    { ...samplePlan(), ...change.plan },
    { tool: null, environment: change.env ?? { HOME: '/home/somebody' } },
  );
  writeFileSync(join(path, 'output.log'), `${goodLog(change.stepMs).join('\n')}\n`);
  appendFileSync(
    join(path, 'events.ndjson'),
    '{"type":"exited","utc":"2026-01-02T03:00:00.000Z","exitCode":0,"signal":null}\n',
  );
  mkdirSync(join(path, 'ranks/none_x/attempt_0/0'), { recursive: true });
  writeFileSync(join(path, 'ranks/none_x/attempt_0/0/stderr.log'), 'a warning\n');
  return record;
}

/** A state folder without a run and an empty folder for archives, new for each test. */
export interface ArchivePlace {
  readonly sample: SampleHome;
  readonly context: Context;
  /** The folder of this test. */
  readonly out: () => string;
  readonly exported: (
    name?: string,
    change?: Partial<ExportRequest>,
    context?: Context,
  ) => Promise<{ readonly archive: string; readonly report: ExportReport }>;
  /** @param into null for the state folder */
  readonly imported: (archive: string, into?: string | null) => Promise<ImportReport>;
}

const usual = { sources: [], logs: true, figures: false, force: false, dryRun: false } as const;

export function archivePlace(): ArchivePlace {
  const sample = sampleHome();
  const context: Context = { ...sample.context, env: process.env };
  let out = '';
  let count = 0;
  beforeEach(() => {
    rmSync(join(sample.home, 'runs'), { recursive: true, force: true });
    out = join(sample.root, `out-${count++}`);
    mkdirSync(out);
  });
  return {
    sample,
    context,
    out: () => out,
    exported: async (name = 'a.tar.gz', change = {}, of = context) => {
      const archive = join(out, name);
      return { archive, report: await exportRuns(of, { ...usual, archive, ...change }) };
    },
    imported: async (archive, into = join(out, 'into')) =>
      importRuns(context, { archive, into, maxGiB: null, dryRun: false }),
  };
}

/** Every file below a folder with its bytes. */
export function contentsOf(folder: string): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    paths.sort().map((path) => [path.slice(folder.length + 1), readFileSync(path, 'latin1')]),
  );
}
