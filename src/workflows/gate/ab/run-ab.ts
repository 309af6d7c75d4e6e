import { openAbJournal, type AbJournal } from '../../../adapters/ab-journal.ts';
import { abReport } from '../../../core/gate/ab/ab-report.ts';
import { precisionOf, precisionText, whyStop, type AbLimits } from '../../../core/gate/ab/next.ts';
import { orderOf, turnsOf, type AbLaunch, type SideName } from '../../../core/gate/ab/turns.ts';
import type { MetricName } from '../../../core/gate/metric.ts';
import type { GateReport } from '../../../core/gate/report.ts';
import { isMeasured } from '../../../core/results/summarize.ts';
import type { RunRecord } from '../../../core/results/record.ts';
import { SuperOffloadError } from '../../../errors.ts';
import { utcNow, type Context } from '../../context.ts';
import { runCase } from '../../runs/run-case.ts';
import { loadRun } from '../../runs/runs.ts';
import type { AbPlan } from './plan-ab.ts';

export interface AbOptions extends AbLimits {
  readonly metrics: readonly MetricName[];
  readonly threshold: number;
}

/**
 * Runs both sides in turns (A B B A A B B A ...) until the ratio is known as precisely as was asked, or the budget is
 * used up. Every run is stored before the next begins, and a second call goes on where one was stopped.
 * @throws the signal's reason after an interruption; what was run is kept.
 */
export async function runAb(context: Context, plan: AbPlan, options: AbOptions): Promise<GateReport> {
  const journal = await openAbJournal(context.home, plan.key);
  const startedUtc = utcNow(context);
  const begunMs = context.now();
  try {
    const launches = await resumed(context, journal);
    if (launches.length === 0) {
      journal.append({ type: 'begin', utc: startedUtc, base: plan.labels.base, head: plan.labels.head });
    } else tell(context, `going on with ${launches.length} launches of an A/B that was stopped`);
    for (;;) {
      const turns = turnsOf(launches);
      const stopped = whyStop(turns, context.now() - begunMs, options);
      if (stopped !== null) {
        journal.append({ type: 'end', utc: utcNow(context), stopped });
        const { base, head } = plan.labels;
        const { metrics, threshold } = options;
        return abReport(turns, { base, head, metrics, threshold, startedUtc, stopped });
      }
      await runPair(context, plan, { journal, launches, pair: turns.pairs.length, options });
    }
  } finally {
    await journal.close();
  }
}

interface PairPlace {
  readonly journal: AbJournal;
  /** Grows by what is run. */
  readonly launches: AbLaunch[];
  readonly pair: number;
  readonly options: AbOptions;
}

/** A pair whose first launch failed has no second: the comparison is over. */
async function runPair(context: Context, plan: AbPlan, place: PairPlace): Promise<void> {
  const { journal, launches, pair, options } = place;
  const { open } = turnsOf(launches);
  const sides = orderOf(pair).filter((side) => side !== open?.side);
  for (const side of sides) {
    const record = await launch(context, plan, side, journal, launches.length);
    launches.push({ side, record });
    if (!isMeasured(record)) break;
  }
  const turns = turnsOf(launches);
  if (turns.pairs.length <= pair) return;
  const precision = precisionOf(turns, options.metric);
  tell(context, `${turns.pairs.length} pairs: ${precisionText(precision, options.precision)}`);
}

async function launch(
  context: Context,
  plan: AbPlan,
  side: SideName,
  journal: AbJournal,
  done: number,
): Promise<RunRecord> {
  const run = plan[side];
  // How many pairs it takes is not known beforehand: the block that is being run.
  const total = 4 * (Math.floor(done / 4) + 1);
  try {
    return await runCase(context, run, { index: done + 1, total }, (runId) => {
      journal.append({ type: 'launch', utc: utcNow(context), side, runId });
      return Promise.resolve();
    });
  } catch (error) {
    if (context.signal.aborted) {
      tell(context, `${done} launches are finished; all are kept, and the same command goes on with them`);
    }
    throw error;
  }
}

/** Launches of an earlier call with their records; one that is gone, or never came to one, is run again. */
async function resumed(context: Context, { open }: AbJournal): Promise<AbLaunch[]> {
  const launches: AbLaunch[] = [];
  for (const { side, runId } of open) {
    try {
      const { run, record } = await loadRun(context, runId);
      if (record !== null) launches.push({ side, record });
      else if (run.watched || run.elsewhere || run.livePids.length > 0) throw stillRuns(runId);
    } catch (error) {
      // Removed since: it is run again.
      if (!(error instanceof SuperOffloadError) || error.code !== 'usage') throw error;
    }
  }
  return launches;
}

/** Beside it no other launch would be measured rightly. */
function stillRuns(runId: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: `run ${runId} of this A/B still runs`,
    hint: `follow it to its end: superoffload runs watch ${runId}; or end it: superoffload runs cancel ${runId}`,
  });
}

function tell(context: Context, message: string): void {
  context.emit({ type: 'note', message });
}
