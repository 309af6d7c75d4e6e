import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { caseIdOf } from '../../../src/core/experiment/case-id.ts';
import type { Case } from '../../../src/core/experiment/case.ts';
import type { RecordInputs } from '../../../src/core/results/build-record.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { runFiles, runIdOf } from '../../../src/core/results/run-files.ts';
import type { Context } from '../../../src/workflows/context.ts';
import { samplePlan } from '../../core/sample-plan.ts';
import { goodLog, recordOf } from '../../core/sample-record.ts';

export interface SampleHome {
  readonly root: string;
  readonly home: string;
  readonly context: Context;
  /** Stores a run of the sample plan's case as changed; the n-th call is n minutes later. */
  readonly store: (change?: SampleRun) => RunRecord;
}

export interface SampleRun {
  readonly case?: Partial<Case>;
  readonly stepMs?: readonly number[];
  readonly log?: readonly string[];
  readonly inputs?: Partial<RecordInputs>;
  readonly record?: Partial<RunRecord>;
}

/** A state folder of its own, removed after the tests of the file. */
export function sampleHome(): SampleHome {
  const root = mkdtempSync(join(tmpdir(), 'superoffload-records-'));
  const home = join(root, 'home');
  afterAll(() => {
    rmSync(root, { recursive: true, force: true });
  });
  const never = new AbortController().signal;
  const context: Context = {
    ...{ env: {}, cwd: root, home, packageRoot: process.cwd(), emit: () => undefined },
    ...{ signal: never, force: never, now: () => Date.UTC(2026, 0, 2) },
  };
  let count = 0;
  const store = (change: SampleRun = {}): RunRecord => {
    const record = sampleRecord(change, count);
    count += 1;
    const folder = join(home, 'runs', record.runId);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, runFiles.record), JSON.stringify(record));
    return record;
  };
  return { root, home, context, store };
}

/** @param index minutes after the first, and the end of its id */
export function sampleRecord(change: SampleRun = {}, index = 0): RunRecord {
  const plan = samplePlan();
  if (plan.case === null) throw new Error('the sample plan has a case');
  const subject: Case = { ...plan.case, ...change.case };
  const startedMs = Date.UTC(2026, 0, 2, 3, 0, 0) + index * 60_000;
  const caseId = caseIdOf(subject);
  const runId = runIdOf(new Date(startedMs).toISOString(), caseId, index.toString(16).padStart(4, '0'));
  return {
    ...recordOf(change.log ?? goodLog(change.stepMs), {
      plan: { ...plan, case: subject, caseId, steps: change.stepMs?.length ?? plan.steps },
      runId,
      startedMs,
      endedMs: startedMs + 30_000,
      ...change.inputs,
    }),
    ...change.record,
  };
}
