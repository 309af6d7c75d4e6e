import { describePlan } from '../../core/plan/describe.ts';
import { formatDuration } from '../../core/text/format.ts';
import { planAb, type AbPlan } from '../../workflows/gate/ab/plan-ab.ts';
import { runAb, type AbOptions } from '../../workflows/gate/ab/run-ab.ts';
import { faultsError, type Fault } from '../../errors.ts';
import { requestOf } from '../flags/case.ts';
import type { GateOptions } from '../commands/gate.ts';
import type { CommandIo } from '../commands/module.ts';
import { finish, requireShare } from './gate.ts';
import { given } from '../flags/given.ts';

/** Runs two configurations in turns and answers: the whole of `superoffload gate --ab`. */
export async function showAb(io: CommandIo, options: GateOptions): Promise<void> {
  requireShare(options.threshold);
  const sides = sidesOf(options);
  const request = requestOf(options, {
    // Both sides run the same steps: one that stops earlier would be measured elsewhere on the way.
    maxError: null,
    limits: given('timeoutMs', options.timeout),
    dryRun: options.dryRun ?? false,
  });
  const plan = await planAb(io.context, request, sides);
  const metrics = options.metric ?? (['modelTflopsPerGpu', 'peakGpuGiB'] as const);
  const abOptions: AbOptions = {
    metrics,
    metric: metrics[0] ?? 'modelTflopsPerGpu',
    threshold: options.threshold ?? 0.05,
    precision: options.precision,
    budgetMs: options.budget,
    minPairs: Math.min(options.minPairs, options.maxPairs),
    maxPairs: options.maxPairs,
  };
  if (options.dryRun === true) {
    const { labels, key, notes } = plan;
    io.print(
      options.json === true
        ? JSON.stringify(
            { labels, key, notes, options: abOptions, base: plan.base, head: plan.head },
            null,
            2,
          )
        : dryRunText(plan, abOptions),
    );
    return;
  }
  for (const message of plan.notes) io.context.emit({ type: 'note', message });
  const report = await runAb(io.context, plan, abOptions);
  await finish(io, report, options, null);
}

function sidesOf({ ab, baseline, from }: GateOptions): readonly [string, string] {
  const [base, head, ...more] = ab ?? [];
  const faults: Fault[] = [];
  if (base === undefined || head === undefined || more.length > 0) {
    faults.push({
      place: '--ab',
      problem: ab?.length === 1 ? 'has 1 side' : `has ${ab?.length ?? 0} sides`,
      expected: 'two: --ab BASE HEAD',
    });
  }
  if (baseline !== undefined)
    faults.push({ place: '--baseline', problem: 'says nothing to --ab: BASE is the baseline' });
  if (from !== undefined)
    faults.push({ place: '--from', problem: 'says nothing to --ab: it runs both sides itself' });
  if (faults.length > 0 || base === undefined || head === undefined) throw faultsError('usage', faults);
  return [base, head];
}

function dryRunText({ base, head, notes }: AbPlan, { budgetMs, precision, maxPairs }: AbOptions): string {
  return [
    ...notes,
    `in turns, A B B A ..., until the ratio is known within ${(precision * 100).toFixed(1)}%, for ${formatDuration(budgetMs)} or ${maxPairs} pairs at most`,
    describePlan(base),
    describePlan(head),
  ].join('\n\n');
}
