import type { RunRecord } from '../../core/results/record.ts';
import { casesExitCode } from '../../core/results/exit-code.ts';
import { SuperOffloadError } from '../../errors.ts';
import { attachRun } from '../../workflows/runs/attach.ts';
import { cancelRun } from '../../workflows/runs/cancel.ts';
import { loadRun } from '../../workflows/runs/runs.ts';
import type { CommandIo } from '../commands/module.ts';
import { runText } from '../text/runs.ts';

/** Follows one run to its end and shows it. */
export async function showWatched(io: CommandIo, wanted: string, json: boolean): Promise<void> {
  const { run } = await loadRun(io.context, wanted);
  const record = await attachRun(io.context, run.runId);
  if (record === null) throw neverStarted(run.runId);
  io.print(json ? JSON.stringify(record, null, 2) : runText({ run, record }));
  io.exitWith(casesExitCode([record], { askedByName: true, unsupportedAskedFor: false }));
}

interface CancelOptions {
  readonly json: boolean;
  readonly dryRun: boolean;
}

/** Ends runs, one after the other, and says how each ended. */
export async function showCancelled(
  io: CommandIo,
  wanted: readonly string[],
  { json, dryRun }: CancelOptions,
): Promise<void> {
  const ended: (RunRecord | null)[] = [];
  const lines: string[] = [];
  for (const each of wanted) {
    const { run } = await loadRun(io.context, each);
    const record = dryRun ? null : await cancelRun(io.context, run.runId);
    ended.push(record);
    const state = dryRun ? 'would end' : record === null ? 'was never started' : record.outcome.class;
    lines.push(`${run.runId}: ${state}`);
  }
  io.print(json ? JSON.stringify(ended, null, 2) : lines.join('\n'));
}

function neverStarted(runId: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'usage',
    message: `run ${runId} was never started: its superoffload was killed before`,
    hint: `to start it: superoffload runs replay ${runId}`,
  });
}
