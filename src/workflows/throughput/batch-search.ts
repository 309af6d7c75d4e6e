import type { Case } from '../../core/experiment/case.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunRecord } from '../../core/results/record.ts';
import {
  nextBatchStep,
  predictedBatches,
  type BatchAttempt,
  type BatchReason,
  type BatchStep,
} from '../../core/search/batch-rule.ts';
import { verdictOf } from '../../core/search/verdict.ts';
import type { Context } from '../context.ts';

/** One launch of the paper's rule for the batch, as a table and `--json` show it. */
export interface BatchLaunch {
  readonly caseId: string;
  readonly microBatch: number;
  readonly gradientAccumulation: number;
  readonly activationCheckpointing: boolean;
  readonly why: BatchReason;
  readonly outcome: string;
  /** Recomputation excluded, a chip. */
  readonly modelTflops: number | null;
}

/** What the rule came to for one case. */
export interface BatchChoice {
  /** The case with its whole batch at once. */
  readonly askedCaseId: string;
  /** The one that counts; null where none ran. */
  readonly chosenCaseId: string | null;
  readonly launches: readonly BatchLaunch[];
  /** Why not everything was tried; null where it was. */
  readonly stopped: string | null;
}

/** Follows the rule for one plan, launch by launch. */
export async function searchBatch(
  context: Context,
  asked: RunPlan,
  { planVariant, run }: BatchLaunchers,
): Promise<{ readonly choice: BatchChoice; readonly plan: RunPlan; readonly records: readonly RunRecord[] }> {
  if (asked.case === null) throw new Error('a command has no batch');
  const { exclusiveHost = false } = asked.placement ?? {};
  const search = predictedBatches(asked.case, asked.system, { exclusiveHost });
  const attempts: BatchAttempt[] = [];
  const done: Done[] = [];
  for (;;) {
    const step = nextBatchStep({ ...search, attempts });
    if (step.type === 'done') {
      const chosen = done.find(({ subject }) => subject === step.chosen)?.plan ?? null;
      const launches = done.map(launchOf);
      const choice: BatchChoice = {
        askedCaseId: asked.caseId,
        chosenCaseId: chosen?.caseId ?? null,
        launches,
        stopped: step.stopped,
      };
      return { choice, plan: chosen ?? asked, records: done.map(({ record }) => record) };
    }
    const isAsked = step.subject === search.asked;
    if (!isAsked) context.emit({ type: 'note', message: nextText(step) });
    const plan = isAsked ? asked : await planVariant(step.subject);
    const record = await run(plan);
    const modelTflops = record.throughput.modelTflopsPerGpu;
    attempts.push({ subject: step.subject, verdict: verdictOf(record), modelTflops });
    done.push({ subject: step.subject, plan, record, why: step.why });
  }
}

export interface BatchLaunchers {
  /** The same case with another batch, as a run. */
  readonly planVariant: (subject: Case) => Promise<RunPlan>;
  readonly run: (plan: RunPlan) => Promise<RunRecord>;
}

function nextText({ subject, why }: Extract<BatchStep, { type: 'run' }>): string {
  return `batch rule: the whole batch ran out of memory; ${why} with a micro-batch of ${subject.microBatch} next`;
}

interface Done {
  readonly subject: Case;
  readonly plan: RunPlan;
  readonly record: RunRecord;
  readonly why: BatchReason;
}

function launchOf({ subject, plan, record, why }: Done): BatchLaunch {
  const { microBatch, gradientAccumulation, activationCheckpointing } = subject;
  return {
    caseId: plan.caseId,
    microBatch,
    gradientAccumulation,
    activationCheckpointing,
    why,
    outcome: record.outcome.class,
    modelTflops: record.throughput.modelTflopsPerGpu,
  };
}
