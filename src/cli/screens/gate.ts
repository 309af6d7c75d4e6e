import { defaultMetrics } from '../../core/gate/metric.ts';
import { gateExitCode, type GateReport } from '../../core/gate/report.ts';
import { gate } from '../../workflows/gate/gate.ts';
import { loggedText, writeOutputs, type OutputRequest } from '../../workflows/gate/outputs.ts';
import { prepareUpdate, writeUpdate } from '../../workflows/gate/update.ts';
import { exitCodes, faultsError, type Fault } from '../../errors.ts';
import type { GateOptions, UpdateFlags } from '../commands/gate.ts';
import type { CommandIo } from '../commands/module.ts';
import { gateText, updateText } from '../text/gate.ts';

/** Holds stored runs against references: the whole of `superoffload gate --baseline`. */
export async function showGate(io: CommandIo, options: GateOptions): Promise<void> {
  requireShare(options.threshold);
  const { report, baselinePath } = await gate(io.context, {
    baseline: options.baseline ?? '',
    from: options.from ?? [],
    options: {
      threshold: options.threshold ?? null,
      metrics: options.metric ?? null,
      historyLimit: options.history,
      trusted: options.noise,
      allowMissing: options.allowMissing ?? false,
    },
  });
  await finish(io, report, options, baselinePath);
}

/** A loss of all or nothing of it is no threshold. */
export function requireShare(threshold: number | undefined): void {
  const faults: Fault[] = [];
  if (threshold === 0 || threshold === 1) {
    faults.push({
      place: '--threshold',
      problem: `is ${threshold}`,
      expected: 'a share above 0 and below 1, such as 5%',
    });
  }
  if (faults.length > 0) throw faultsError('usage', faults);
}

/** Prints an answer, writes what was asked for beside it, and sets the exit code. */
export async function finish(
  io: CommandIo,
  report: GateReport,
  options: GateOptions,
  baselinePath: string | null,
): Promise<void> {
  const outputs = outputsOf(options);
  if (options.dryRun !== true) await writeOutputs(io.context, report, outputs, baselinePath);
  io.print(
    options.json === true
      ? JSON.stringify({ ...report, exitCode: gateExitCode(report.verdict) }, null, 2)
      : loggedText(io.context, report, gateText(report), outputs, baselinePath),
  );
  io.exitWith(gateExitCode(report.verdict));
}

function outputsOf({ junit, markdown, github, gitlab }: GateOptions): OutputRequest {
  return {
    junit: junit ?? null,
    markdown: markdown ?? null,
    github: github ?? false,
    gitlab: gitlab === undefined ? null : gitlab === true ? 'gl-code-quality-report.json' : gitlab,
  };
}

/** Shows what new runs make of the references, then writes them: the whole of `superoffload gate update`. */
export async function showUpdate(io: CommandIo, options: UpdateFlags): Promise<void> {
  requireShare(options.threshold);
  const update = await prepareUpdate(io.context, {
    baseline: options.baseline,
    from: options.from ?? [],
    historyLimit: options.history,
    options: {
      metrics: options.metric ?? defaultMetrics,
      threshold: options.threshold,
      allowLooser: options.allowLooser ?? false,
    },
  });
  for (const message of update.notes) io.context.emit({ type: 'note', message });
  const { plan } = update;
  io.print(
    options.json === true
      ? JSON.stringify({ path: update.path, writes: plan.writes, changes: plan.changes }, null, 2)
      : updateText(plan, options.baseline),
  );
  // The difference is on the screen before anything is written.
  if (plan.writes && options.dryRun !== true) await writeUpdate(update);
  if (plan.changes.some(({ kind }) => kind === 'refused')) io.exitWith(exitCodes.regression);
}
