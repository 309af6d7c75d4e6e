import type { Case, ModeName } from '../../core/experiment/case.ts';
import type { SkippedCase } from '../../core/experiment/grid.ts';
import type { Prediction } from '../../core/model/predict.ts';
import type { Wall } from '../../core/search/frontier.ts';
import { edgeOfPredictions } from '../../core/search/predicted-edge.ts';
import { verdictOf } from '../../core/search/verdict.ts';
import type { RunRecord } from '../../core/results/record.ts';
import type { Context } from '../context.ts';
import type { Planning } from '../plan/planning.ts';
import { launch, runSearch, type CaseProbe, type SearchResult } from './run-search.ts';

/** What is searched, for one mode (and one model, where lengths are searched). */
export interface AxisSearch {
  readonly mode: ModeName;
  /** Candidates in their order. */
  readonly cases: readonly Case[];
}

/** A verb that searches: its candidates, what lies between two of them, and how one is called. */
export interface FrontierPlan {
  readonly planning: Planning;
  readonly searches: readonly AxisSearch[];
  readonly skipped: readonly SkippedCase[];
  /** Each candidate is launched, no edge is searched: sizes or lengths were given. */
  readonly isGiven: boolean;
  readonly resumes: boolean;
  /** Finer candidates, rising, all below `failed`; null where the experiment's own are enough. */
  readonly between: ((ran: Case | null, failed: Case) => readonly Case[]) | null;
  readonly nameOf: (subject: Case) => string;
  readonly predict: (subject: Case) => Prediction;
  readonly notes: readonly string[];
}

/** A candidate that was launched, and all its launches. */
export interface FrontierPoint {
  readonly name: string;
  readonly case: Case;
  /** What stands for them: the last. */
  readonly record: RunRecord;
  readonly wall: Wall | null;
}

/** What came of one mode. */
export interface FrontierRow {
  readonly mode: ModeName;
  readonly model: string;
  readonly largestRan: FrontierPoint | null;
  readonly smallestFailed: FrontierPoint | null;
  /** The smallest that failed failed again; null where nothing failed. */
  readonly confirmed: boolean | null;
  /** Ran out of memory in one launch and ran in another. */
  readonly contradicted: readonly string[];
  /** The largest that was predicted to fit, by name; null where none was. */
  readonly predicted: string | null;
  /** Why there is no edge; null where there is. */
  readonly stopped: string | null;
  /** Launches of this command, and runs of before that counted. */
  readonly launches: number;
  readonly stored: number;
  readonly probes: readonly CaseProbe[];
}

/** Searches one mode after the other. @throws the signal's reason after an interruption; what ran is stored. */
export async function searchFrontiers(context: Context, plan: FrontierPlan): Promise<FrontierRow[]> {
  const rows: FrontierRow[] = [];
  for (const search of plan.searches) rows.push(await searchAxis(context, plan, search));
  return rows;
}

/** Launches every candidate that was given, however the ones before it ended. */
export async function runGiven(context: Context, plan: FrontierPlan): Promise<CaseProbe[]> {
  const cases = plan.searches.flatMap((search) => search.cases);
  const { plans } = plan.planning.planCases(cases);
  const probes: CaseProbe[] = [];
  for (const [index, subject] of cases.entries()) {
    const planned = plans[index];
    if (planned === undefined) throw new Error(`case ${index} has no plan`);
    const position = { index: index + 1, total: cases.length };
    const record = await launch(context, plan.planning, planned, position);
    probes.push({ subject, record, isStored: false });
  }
  return probes;
}

async function searchAxis(
  context: Context,
  plan: FrontierPlan,
  axis: AxisSearch,
  before: readonly CaseProbe[] = [],
): Promise<FrontierRow> {
  const { planning, between, resumes, nameOf } = plan;
  const coarse = await runSearch(context, planning, {
    resumes,
    nameOf,
    cases: axis.cases,
    ...edgeOf(plan, axis.cases),
    confirms: between === null,
    before,
  });
  const failed = caseAt(axis.cases, coarse.frontier.smallestFailed?.candidate);
  if (between === null || failed === null || coarse.stopped !== null) {
    return rowOf(plan, axis, axis.cases, coarse);
  }
  const ran = caseAt(axis.cases, coarse.frontier.largestRan);
  const cases = [...between(ran, failed), failed];
  const fine = await runSearch(context, planning, {
    resumes,
    nameOf,
    cases,
    ...edgeOf(plan, cases),
    confirms: true,
    before: coarse.probes,
  });
  // It ran in its repeat: then the edge lies among the candidates that its failure had left out.
  if (fine.stopped === null && fine.frontier.smallestFailed === null) {
    return searchAxis(context, plan, axis, fine.probes);
  }
  const row = rowOf(plan, axis, cases, fine);
  return row.largestRan !== null || ran === null
    ? row
    : { ...row, largestRan: pointOf(plan, ran, fine.probes) };
}

/** Where a search of candidates starts: what each is predicted to need, and what there is. */
export function edgeOf(
  { predict }: Pick<FrontierPlan, 'predict'>,
  cases: readonly Case[],
): ReturnType<typeof edgeOfPredictions> {
  return edgeOfPredictions(cases.map(predict));
}

function rowOf(
  plan: FrontierPlan,
  axis: AxisSearch,
  cases: readonly Case[],
  { frontier, stopped, probes }: SearchResult,
): FrontierRow {
  const ran = caseAt(cases, frontier.largestRan);
  const failed = caseAt(cases, frontier.smallestFailed?.candidate);
  const best = caseAt(axis.cases, edgeOf(plan, axis.cases).predicted);
  return {
    mode: axis.mode,
    model: axis.cases[0]?.model.name ?? '',
    largestRan: ran === null ? null : pointOf(plan, ran, probes),
    smallestFailed: failed === null ? null : pointOf(plan, failed, probes),
    confirmed: frontier.confirmed,
    contradicted: contradicted(probes).map(plan.nameOf),
    predicted: best === null ? null : plan.nameOf(best),
    stopped,
    launches: probes.filter(({ isStored }) => !isStored).length,
    stored: probes.filter(({ isStored }) => isStored).length,
    probes,
  };
}

/** Ran out of memory in one launch and ran in another, of the coarser search too. */
function contradicted(probes: readonly CaseProbe[]): Case[] {
  const of = (kind: 'ran' | 'memory'): Set<Case> =>
    new Set(probes.filter(({ record }) => verdictOf(record).kind === kind).map(({ subject }) => subject));
  const ran = of('ran');
  return [...of('memory')].filter((subject) => ran.has(subject));
}

/** null where it was proven to fail and never launched. */
function pointOf(plan: FrontierPlan, subject: Case, probes: readonly CaseProbe[]): FrontierPoint | null {
  const record = probes.findLast((probe) => probe.subject === subject)?.record;
  if (record === undefined) return null;
  const verdict = verdictOf(record);
  const wall = verdict.kind === 'memory' ? verdict.wall : null;
  return { name: plan.nameOf(subject), case: subject, record, wall };
}

function caseAt(cases: readonly Case[], index: number | null | undefined): Case | null {
  return (index === null || index === undefined ? undefined : cases[index]) ?? null;
}
