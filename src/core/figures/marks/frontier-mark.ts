import type { Case, System } from '../../experiment/case.ts';
import { predictFit, type PredictOptions } from '../../model/predict.ts';
import { parameterCount } from '../../model/shape.ts';
import { nextStep, type Wall } from '../../search/frontier.ts';
import { edgeOfPredictions } from '../../search/predicted-edge.ts';
import { verdictOf, wallTitles } from '../../search/verdict.ts';
import type { Mark } from '../figure-data.ts';
import { markOf } from './marks.ts';
import { markWithoutNumber } from './measured-marks.ts';
import type { Trial } from '../trial.ts';

type At = Pick<Mark, 'panel' | 'series' | 'x'>;

/** What the edge of one mode is looked for among. */
export interface EdgeSetting {
  /** The experiment's sizes for this mode and number of chips. */
  readonly cases: readonly Case[];
  readonly system: System;
  readonly options: PredictOptions;
  /** As the picture names a size. */
  readonly nameOf: (subject: Case) => string;
}

/**
 * The largest model that ran, of runs that may be taken together. It is the edge only where the smallest that failed
 * failed twice and nothing between the two is open, by the rules of the search itself; else the mark says `at least`.
 * @param trials oldest first, at least one
 */
export function frontierMark(at: At, trials: readonly Trial[], setting: EdgeSetting): Mark {
  const candidates = candidatesOf(trials, setting.cases);
  const tried = trials.flatMap(({ record, subject }) => {
    const verdict = verdictOf(record);
    const candidate = candidates.findIndex((other) => sizeKey(other) === sizeKey(subject));
    return verdict.kind === 'unproven' ? [] : [{ candidate, verdict, runId: record.runId }];
  });
  const ran = tried.filter(({ verdict }) => verdict.kind === 'ran').map(({ candidate }) => candidate);
  const largest = candidates[Math.max(-1, ...ran)];
  if (largest === undefined) return nothingRan(at, trials, candidates, setting);
  const edge = edgeAbove(Math.max(...ran), tried, candidates, setting);
  return markOf(
    { ...at, source: 'measured', state: 'value' },
    {
      value: billions(largest),
      wall: edge.failed === null ? null : edge.wall,
      runIds: tried.map(({ runId }) => runId),
      notes: [edgeText(edge, setting.nameOf(largest), setting)],
    },
  );
}

function edgeText(edge: Edge, name: string, { nameOf }: EdgeSetting): string {
  if (edge.failed === null) return `at least: nothing is known above ${name}`;
  const failed = `${nameOf(edge.failed)} is out of ${wallTitles[edge.wall]}`;
  return edge.isProven
    ? `${name} runs, ${failed}`
    : `at least: ${name} runs, ${failed}, the edge is not proven`;
}

/** Parameters as they are counted, billions. */
export function billions({ model, sequenceLength }: Case): number {
  return parameterCount(model, sequenceLength) / 1e9;
}

interface Tried {
  readonly candidate: number;
  readonly verdict: ReturnType<typeof verdictOf>;
}

type Edge =
  | { readonly failed: Case; readonly wall: Wall; readonly isProven: boolean }
  | { readonly failed: null; readonly isProven: false };

/** What is above the largest that ran: asked of the search, as if it were to go on from these runs. */
function edgeAbove(
  best: number,
  tried: readonly Tried[],
  cases: readonly Case[],
  { system, options }: EdgeSetting,
): Edge {
  const edge = edgeOfPredictions(cases.map((subject) => predictFit(subject, system, options)));
  const step = nextStep({ ...edge, probes: tried, confirms: true });
  const proven = step.type === 'done' ? step.frontier : null;
  const lowest = tried
    .flatMap(({ candidate, verdict }) =>
      verdict.kind === 'memory' && candidate > best ? [{ candidate, wall: verdict.wall }] : [],
    )
    .sort((a, b) => a.candidate - b.candidate)[0];
  const found = proven?.smallestFailed ?? lowest;
  const failed = found === undefined ? undefined : cases[found.candidate];
  if (found === undefined || failed === undefined) return { failed: null, isProven: false };
  return { failed, wall: found.wall, isProven: proven?.confirmed ?? false };
}

/** The experiment's sizes and those that were launched between them, each shape once, rising. */
function candidatesOf(trials: readonly Trial[], cases: readonly Case[]): Case[] {
  const all = new Map<string, Case>();
  for (const subject of [...trials.map((trial) => trial.subject), ...cases]) {
    if (!all.has(sizeKey(subject))) all.set(sizeKey(subject), subject);
  }
  return [...all.values()].sort((a, b) => billions(a) - billions(b));
}

function sizeKey({ model }: Case): string {
  return `${model.layers}x${model.hidden}x${model.heads}x${model.paddedVocabulary}`;
}

function nothingRan(at: At, trials: readonly Trial[], cases: readonly Case[], { nameOf }: EdgeSetting): Mark {
  const smallest = trials
    .filter(({ record }) => verdictOf(record).kind === 'memory')
    .sort((a, b) => billions(a.subject) - billions(b.subject))[0];
  const mark = markWithoutNumber(
    at,
    smallest === undefined ? trials.map(({ record }) => record) : [smallest.record],
  );
  if (smallest === undefined) {
    const ended = trials.some(({ record }) => record.outcome.class === 'ok');
    return ended
      ? { ...mark, notes: ['ran, with too few steps that changed the weights to prove that it fits'] }
      : mark;
  }
  const isLeast = cases[0] !== undefined && sizeKey(cases[0]) === sizeKey(smallest.subject);
  const name = nameOf(smallest.subject);
  return {
    ...mark,
    notes: [isLeast ? `not even ${name}` : `${name} does not run, nothing smaller was tried`],
  };
}
