import { createFold } from '../../src/core/logs/fold.ts';
import { noExitEvidence } from '../../src/core/logs/outcome.ts';
import { buildRecord, type RecordInputs } from '../../src/core/results/build-record.ts';
import type { RunRecord } from '../../src/core/results/record.ts';
import { samplePlan } from './sample-plan.ts';

/** Megatron's iteration line, one a step time in milliseconds. */
export function iterationLines(stepMs: readonly number[], more = ''): string[] {
  return stepMs.map(
    (ms, index) =>
      ` iteration ${String(index + 1).padStart(8)}/${String(stepMs.length).padStart(8)} | consumed samples: 8 | ` +
      `elapsed time per iteration (ms): ${ms.toFixed(1)} | global batch size: 8 | lm loss: 1.0E+01 |${more} ` +
      'number of skipped iterations:   0 | number of nan iterations:   0 |',
  );
}

export const finishedLine = '[after training is done] datetime: 2026-01-02 03:04:05';

/** A record as the workflow builds it from a plan and a log. */
export function recordOf(log: readonly string[], change: Partial<RecordInputs> = {}): RunRecord {
  const plan = change.plan ?? samplePlan();
  const fold = createFold();
  for (const line of log) fold.push(line);
  return buildRecord({
    plan,
    runId: '20260102T030405Z-case-00ff',
    tool: { version: '0.1.0', commit: null, dirty: null },
    log: fold.state,
    exit: { ...noExitEvidence, exitCode: 0, plannedIterations: plan.steps, plannedWorldSize: plan.worldSize },
    conditions: { loadAverageBefore: 0, loadAverageAfter: 1, runningTasksBefore: 0, gpu: null },
    memory: { sampledHostGiB: null, machineGiB: null },
    startedMs: Date.UTC(2026, 0, 2, 3, 4, 5),
    endedMs: Date.UTC(2026, 0, 2, 3, 5, 5),
    recovered: false,
    ...change,
  });
}

/** The sample plan's 30 steps, in good order. */
export function goodLog(stepMs: readonly number[] = Array.from({ length: 30 }, () => 1000)): string[] {
  return [...iterationLines(stepMs), finishedLine];
}
