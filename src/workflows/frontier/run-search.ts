import type { Case } from '../../core/experiment/case.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { nextStep, type Frontier, type Needs, type Probe } from '../../core/search/frontier.ts';
import { verdictOf, wallTitles } from '../../core/search/verdict.ts';
import type { Context } from '../context.ts';
import type { Planning } from '../plan/planning.ts';
import { runCase, type RunPosition } from '../runs/run-case.ts';
import { storedResults } from './stored-results.ts';

/** A launch of a search: what it was of, and all that is known of it. */
export interface CaseProbe {
  readonly subject: Case;
  readonly record: RunRecord;
  /** It was run by an earlier command. */
  readonly isStored: boolean;
}

export interface SearchRequest {
  /** In the order that is searched. */
  readonly cases: readonly Case[];
  /** What each is predicted to need, and where the search starts. */
  readonly candidates: readonly Needs[];
  readonly predicted: number;
  readonly startsAbove: boolean;
  readonly confirms: boolean;
  /** Earlier runs count. */
  readonly resumes: boolean;
  /** Launches of this search that were made before. */
  readonly before: readonly CaseProbe[];
  /** As a line of progress names a candidate. */
  readonly nameOf: (subject: Case) => string;
}

export interface SearchResult {
  readonly frontier: Frontier;
  /** Why the search ended without an edge; null where it has one. */
  readonly stopped: string | null;
  readonly probes: readonly CaseProbe[];
}

/**
 * Launches one candidate after the other until the edge is known. Every result is on disk before the next launch.
 * @throws the signal's reason after an interruption: the same command goes on from what is stored.
 */
export async function runSearch(
  context: Context,
  planning: Planning,
  request: SearchRequest,
): Promise<SearchResult> {
  const { plans } = planning.planCases(request.cases);
  const probes = await startingProbes(context, plans, request);
  const { candidates, predicted, startsAbove, confirms } = request;
  for (;;) {
    const found = probes.flatMap((probe) => toProbe(probe, request.cases));
    const step = nextStep({ candidates, predicted, startsAbove, probes: found, confirms });
    if (step.type !== 'probe') {
      const stopped = step.type === 'stopped' ? step.reason : null;
      return { frontier: step.frontier, stopped, probes };
    }
    const [plan, subject] = [plans[step.candidate], request.cases[step.candidate]];
    if (plan === undefined || subject === undefined) throw new Error(`no candidate ${step.candidate}`);
    const index = probes.length + 1;
    const total = Math.max(index, Math.ceil(Math.log2(candidates.length)) + 2);
    const record = await launch(context, planning, plan, { index, total });
    probes.push({ subject, record, isStored: false });
    context.emit({ type: 'note', message: `${record.title}: ${verdictText(record)}` });
  }
}

/** What is known before the first launch: of this search's coarser pass, and of earlier commands. */
async function startingProbes(
  context: Context,
  plans: readonly RunPlan[],
  { cases, before, resumes, nameOf }: SearchRequest,
): Promise<CaseProbe[]> {
  if (!resumes) return [...before];
  const stored = await storedResults(context, plans);
  const seen = new Set(before.map(({ record }) => record.runId));
  const more = cases.flatMap((subject, index): CaseProbe[] =>
    (stored.get(plans[index]?.caseId ?? '') ?? [])
      .filter(({ runId }) => !seen.has(runId))
      .map((record) => ({ subject, record, isStored: true })),
  );
  for (const { subject, record } of more) {
    const message = `${nameOf(subject)}: ${verdictText(record)}, in run ${record.runId} of before`;
    context.emit({ type: 'note', message });
  }
  return [...before, ...more];
}

function toProbe({ subject, record }: CaseProbe, cases: readonly Case[]): Probe[] {
  const candidate = cases.indexOf(subject);
  return candidate < 0 ? [] : [{ candidate, verdict: verdictOf(record) }];
}

/** Looks at the machines first, as they are now. */
export async function launch(
  context: Context,
  planning: Planning,
  plan: RunPlan,
  position: RunPosition,
): Promise<RunRecord> {
  const ready = await planning.ready([plan]);
  for (const message of ready.notes) context.emit({ type: 'note', message });
  try {
    return await runCase(context, ready.plans[0] ?? plan, position);
  } catch (error) {
    if (position.index === 1) throw error;
    const message = `${position.index - 1} runs are finished; all are kept: superoffload runs list; a search goes on from them`;
    context.emit({ type: 'note', message });
    throw error;
  }
}

export function verdictText(record: RunRecord): string {
  const verdict = verdictOf(record);
  switch (verdict.kind) {
    case 'ran':
      return 'it runs';
    case 'memory':
      return `out of ${wallTitles[verdict.wall]}`;
    case 'unproven':
      return verdict.reason;
  }
}

/** The candidate that a search of nothing known would launch first. */
export function firstCandidate(
  request: Pick<SearchRequest, 'cases' | 'candidates' | 'predicted' | 'startsAbove'>,
): Case | null {
  const { cases, candidates, predicted, startsAbove } = request;
  const step = nextStep({ candidates, predicted, startsAbove, probes: [], confirms: true });
  return step.type === 'probe' ? (cases[step.candidate] ?? null) : null;
}
