import { openTuneJournal, type TuneJournal } from '../../adapters/tune-journal.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { nextTrial } from '../../core/tune/search/next-trial.ts';
import { candidateKey } from '../../core/tune/propose/propose.ts';
import type { Candidate, NextTrial, Tuning } from '../../core/tune/tuning.ts';
import { SuperOffloadError } from '../../errors.ts';
import { utcNow, type Context } from '../context.ts';
import { runCase } from '../runs/run-case.ts';
import { toTrial, type RunTrial } from './known-trials.ts';
import type { TunePlan } from './plan-tune.ts';
import type { SizePlan } from './size-plans.ts';
import { trialLine, whatIsNext } from './progress.ts';
import { Search } from './search.ts';

/** What came of one size. */
export interface SizeOutcome {
  readonly size: SizePlan;
  readonly tuning: Tuning;
  readonly trials: readonly RunTrial[];
  /** Index into the tuning's candidates; null where nothing was measured that may be chosen. */
  readonly best: number | null;
  /** Why the search ended. */
  readonly why: string;
}

type Step = Extract<NextTrial, { readonly type: 'trial' }>;

/**
 * Tries one candidate after the other until the rules say that the best is found or the budget is used up. Every trial
 * is in its run folder, and named in the tuning's journal, before the next begins.
 * @throws the signal's reason after an interruption: the same command goes on from what is stored.
 */
export async function tuneSize(context: Context, plan: TunePlan, size: SizePlan): Promise<SizeOutcome> {
  const journal = await openTuneJournal(context.home, size.key);
  try {
    const search = new Search(context, plan, size);
    await begin(context, search, journal, plan);
    for (;;) {
      const { tuning } = search;
      const next = nextTrial(tuning);
      if (next.type === 'done') {
        journal.append({ type: 'end', utc: utcNow(context), why: next.why });
        return { size, tuning, trials: search.trials, best: next.best, why: next.why };
      }
      const trial = await launch(context, plan, { size, search, next, journal });
      await search.add(trial);
      tell(context, trialLine(search.tuning, trial.result));
    }
  } finally {
    await journal.close();
  }
}

/** What is known before the first launch: of this tuning where it was stopped, and of other commands. */
async function begin(
  context: Context,
  search: Search,
  journal: TuneJournal,
  { command }: TunePlan,
): Promise<void> {
  const open = command.fresh ? null : journal.open;
  if (open === null) journal.append({ type: 'begin', utc: utcNow(context) });
  if (command.fresh) return;
  const { own, stored } = await search.begin(open ?? []);
  if (own > 0) tell(context, `going on with ${counted(own)} of a tuning that was stopped`);
  if (stored > 0) tell(context, `${counted(stored)} known from stored runs (--fresh measures all anew)`);
}

function counted(count: number): string {
  return count === 1 ? '1 trial' : `${count} trials`;
}

interface Launch {
  readonly size: SizePlan;
  readonly search: Search;
  readonly next: Step;
  readonly journal: TuneJournal;
}

async function launch(context: Context, plan: TunePlan, at: Launch): Promise<RunTrial> {
  const { search, next } = at;
  const { tuning, launches } = search;
  const candidate = tuning.candidates[next.candidate];
  if (candidate === undefined) throw new Error(`no candidate ${next.candidate}`);
  tell(context, whatIsNext(tuning, next));
  try {
    const trial = await runTrial(context, plan, candidate, at);
    if (trial !== null) return trial;
    throw stoppedByPerson(at);
  } catch (error) {
    if (launches > 0 || context.signal.aborted) tell(context, keptText(at.size, launches));
    throw error;
  }
}

/** Looks at the machines first, as they are now. */
async function runTrial(
  context: Context,
  plan: TunePlan,
  candidate: Candidate,
  { search: { tuning, launches }, next, journal }: Launch,
): Promise<RunTrial | null> {
  const begunMs = context.now();
  const ready = await plan.planning.ready([trialPlan(plan, candidate, tuning, next)]);
  for (const message of ready.notes) tell(context, message);
  const [run] = ready.plans;
  if (run === undefined) throw new Error('a trial has one plan');
  const key = candidateKey(candidate);
  const position = { index: launches + 1, total: Math.max(launches + 1, tuning.budget.maxTrials) };
  const record = await runCase(context, run, position, (runId) => {
    journal.append({ type: 'trial', utc: utcNow(context), key, runId });
    return Promise.resolve();
  });
  // What a trial waits for in a queue is not of its time.
  const seconds = run.schedule === undefined ? (context.now() - begunMs) / 1000 : undefined;
  const trial = toTrial(key, record, false, seconds);
  return trial === null ? null : byWhoseTime(trial, plan.planOf(candidate).limits.timeoutMs ?? null, run);
}

/** Cut by the tuning's minutes it is not finished; by the user's own --timeout it took too long, and failed. */
function byWhoseTime(trial: RunTrial, askedMs: number | null, { limits }: RunPlan): RunTrial {
  const { result } = trial;
  if (result.kind !== 'unfinished' || limits.timeoutMs !== askedMs) return trial;
  return { ...trial, result: { ...result, kind: 'failed' } };
}

/** `runs cancel` ended the trial: whoever did that wants no other one in its place. */
function stoppedByPerson({ size }: Launch): SuperOffloadError {
  return new SuperOffloadError({
    code: 'run_failed',
    message: `a trial of ${size.name} was cancelled`,
    hint: 'the same command goes on from what is stored',
  });
}

function keptText({ name }: SizePlan, done: number): string {
  const kept = done === 0 ? 'no trial is finished yet' : `${counted(done)} finished, all kept as runs`;
  return `${name}: ${kept}; the same command goes on from there`;
}

/** A trial gets no more time than the tuning has left: one that hangs must not take the others' too. */
function trialPlan(plan: TunePlan, candidate: Candidate, tuning: Tuning, next: Step): RunPlan {
  const planned = plan.planOf(candidate);
  const leftMs = Math.max(1, Math.round((tuning.budget.maxMinutes - tuning.minutes) * 60_000));
  const timeoutMs = Math.min(planned.limits.timeoutMs ?? leftMs, leftMs);
  const { abandonAboveMs } = next;
  return {
    ...planned,
    limits: { ...planned.limits, timeoutMs },
    ...(abandonAboveMs === null ? {} : { abandonAboveMs }),
  };
}

function tell(context: Context, message: string): void {
  context.emit({ type: 'note', message });
}
