import { predictTime } from '../../core/model/step-time.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { explain } from '../../core/tune/explain/explain.ts';
import { nextTrial } from '../../core/tune/search/next-trial.ts';
import type { Candidate, NextTrial } from '../../core/tune/tuning.ts';
import { choiceLines, verdicts } from '../../core/tune/explain/words.ts';
import { utcNow, type Context } from '../context.ts';
import { toolIdentity } from '../tool-identity.ts';
import { throughputCommand } from './choice-command.ts';
import { choicePaths, requireOwnFiles, writeChoice } from './choice-files.ts';
import type { TunePlan } from './plan-tune.ts';
import type { SizePlan } from './size-plans.ts';
import { publishedRuns } from './published.ts';
import { named, needsPatches, trialReports, type ChoiceReport, type SizeReport } from './report.ts';
import { tuneSize, type SizeOutcome } from './run-tune.ts';

/**
 * Tunes one size after the other, each within a budget of its own, and writes the files of each choice as it is made.
 * @throws SuperOffloadError 'usage' where files are there that are not this tuning's; the signal's reason after an
 *   interruption.
 */
export async function tune(context: Context, plan: TunePlan): Promise<SizeReport[]> {
  await requireOwnFiles(context, plan);
  const reports: SizeReport[] = [];
  for (const size of plan.sizes) {
    const isPredicted = plan.command.budget.maxTrials === 0;
    const outcome = isPredicted ? predicted(size) : await tuneSize(context, plan, size);
    reports.push(await reportSize(context, plan, outcome, isPredicted));
  }
  return reports;
}

/** Without trials the choice is what would be tried first. */
function predicted(size: SizePlan): SizeOutcome {
  const first = firstTrial(size);
  const why = first === null ? 'nothing fits' : 'by prediction alone: --max-trials 0';
  return { size, tuning: size.tuning, trials: [], best: first, why };
}

/** Index of the candidate that is tried first where nothing is known; null where none fits. */
export function firstTrial(size: SizePlan): number | null {
  const next = firstStep(size);
  return next.type === 'trial' ? next.candidate : next.best;
}

/** Where nothing is launched, nothing takes too long either. */
export function firstStep({ tuning }: SizePlan): NextTrial {
  const { budget } = tuning;
  const asked = budget.maxTrials > 0 ? budget : { ...budget, maxTrials: 1, maxMinutes: Infinity };
  return nextTrial({ ...tuning, budget: asked });
}

async function reportSize(
  context: Context,
  plan: TunePlan,
  outcome: SizeOutcome,
  isPredicted: boolean,
): Promise<SizeReport> {
  const { size, tuning, best, why } = outcome;
  const candidate = best === null ? undefined : tuning.candidates[best];
  const { system } = plan.planning;
  const explanation = explain(tuning, best, {
    rejected: size.rejected,
    accelerator: system.accelerator,
    partsOf: (subject) => predictTime(subject, system, size.request)?.parts ?? null,
  });
  const choice =
    candidate === undefined ? null : await makeChoice(context, plan, { size, candidate, isPredicted });
  return {
    name: size.name,
    trials: trialReports(outcome, await publishedRuns(context, plan, size)),
    choice,
    explanation,
    lines: choice === null || isPredicted ? [] : choiceLines(explanation),
    verdicts: verdicts(explanation),
    why,
    minutes: tuning.minutes,
  };
}

interface Chosen {
  readonly size: SizePlan;
  readonly candidate: Candidate;
  readonly isPredicted: boolean;
}

async function makeChoice(context: Context, plan: TunePlan, chosen: Chosen): Promise<ChoiceReport> {
  const { size, candidate, isPredicted } = chosen;
  const { subject, bindCores } = candidate;
  const files = choicePaths(context, plan, size);
  const config = plan.planOf(candidate).files[runFiles.deepspeedConfig] ?? '{}';
  const section = plan.experiment[plan.planning.system.accelerator];
  const command = throughputCommand(candidate, files.config, section, plan.command);
  const patched = needsPatches(config);
  const lines = await noteLines(context, plan, { ...chosen, needsPatches: patched });
  await writeChoice(context, files, { size, config, lines, command });
  return {
    ...named(candidate),
    why: candidate.why,
    ...{ isPredicted, bindCores, files, command },
    case: subject,
    needsPatches: patched,
  };
}

/** What lies beside the JSON: who chose it, on what, and what a training script has to be told besides. */
async function noteLines(
  context: Context,
  { planning: { system } }: TunePlan,
  { size, candidate, isPredicted, needsPatches: patched }: Chosen & { readonly needsPatches: boolean },
): Promise<string[]> {
  const { version } = await toolIdentity(context);
  const { mode, model, chips, sequenceLength, activationCheckpointing } = candidate.subject;
  const functional = system.accelerator === 'cpu';
  return [
    `superoffload ${version} tune, ${utcNow(context)}: ${mode}, ${named(candidate).settings}`,
    `for ${model.name} (${model.layers} layers of ${model.hidden}) on ${chips} chip(s) of ${system.title}, sequence ${sequenceLength}`,
    isPredicted ? 'chosen by prediction alone: nothing was measured' : 'chosen by trials on that machine',
    ...(functional ? ['functional, on CPU ranks: it says nothing about a GPU'] : []),
    ...(patched ? [patchesText] : []),
    `not in the JSON: model, sequence, ${activationCheckpointing ? 'recomputation of activations (on)' : 'activations are kept'}`,
    `${size.name}.json is for DeepSpeed; with this tool:`,
  ];
}

export const patchesText =
  'its section "superoffload" works only where the patches of this tool are applied: superoffload patch';
