import type { Difference } from '../results/fairness.ts';
import type { MetricRatio } from './metric-ratio.ts';

/** One side of a comparison, for a person. */
export interface ComparedSide {
  /** What the user called it. */
  readonly name: string;
  readonly runs: number;
  readonly cases: number;
  readonly systems: readonly string[];
  /** When its runs were started: the first and the last, UTC. */
  readonly firstUtc: string;
  readonly lastUtc: string;
}

/** What two runs, or two cases, do not have in common. */
export interface Differences {
  /** What must be alike for the ratio to be fair. */
  readonly unfair: readonly Difference[];
  /** Versions, machine, conditions. */
  readonly other: readonly Difference[];
  /** Keys of the DeepSpeed JSON, dotted. */
  readonly config: readonly Difference[];
  /** Names of facts that one side or both do not say. */
  readonly unknown: readonly string[];
}

export interface ComparedCase {
  readonly title: string;
  /** Of B, where it is called otherwise. */
  readonly titleB: string | null;
  readonly caseIdA: string;
  readonly caseIdB: string;
  readonly systemA: string;
  readonly systemB: string;
  /** Why these two were held against each other. */
  readonly pairedBy: string;
  /** What is compared, where it is not the same case. */
  readonly compared: readonly Difference[];
  readonly metrics: readonly MetricRatio[];
  /** Beyond what all cases differ by. */
  readonly differences: Differences;
  /** Launches of one side that are not alike: their mean speaks of no one thing. */
  readonly mixed: readonly string[];
  /** How launches without a measurement ended. */
  readonly failed: readonly string[];
}

/** A case that only one side has. */
export interface LoneCase {
  readonly title: string;
  readonly caseId: string;
  readonly system: string;
  readonly outcome: string;
}

/** Cases of both sides that do the same work, several of one side: which belong together only a person can say. */
export interface AmbiguousCase {
  /** Of one of them. */
  readonly title: string;
  /** What they have in common. */
  readonly pairedBy: string;
  readonly caseIdsA: readonly string[];
  readonly caseIdsB: readonly string[];
  /** Settings that are not alike, and which values each side has. */
  readonly differ: readonly {
    readonly name: string;
    readonly a: readonly string[];
    readonly b: readonly string[];
  }[];
  /** Flags of `compare` that leave one of each side; empty where none tells them apart. */
  readonly choose: string;
}

/** B held against A: every ratio is B over A. */
export interface Comparison {
  readonly a: ComparedSide;
  readonly b: ComparedSide;
  /** Runs that are in both: they say nothing of a difference. */
  readonly sharedRuns: number;
  readonly cases: readonly ComparedCase[];
  /** What all cases differ by. */
  readonly differences: Differences;
  readonly onlyA: readonly LoneCase[];
  readonly onlyB: readonly LoneCase[];
  /** Why some of these were not paired. */
  readonly ambiguous: readonly AmbiguousCase[];
}
