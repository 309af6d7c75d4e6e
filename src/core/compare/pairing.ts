import { groupBy } from '../collections/group-by.ts';
import { canonicalJson } from '../experiment/case-id.ts';
import type { Case } from '../experiment/case.ts';
import { environmentName } from '../results/launch-environment.ts';
import type { CompareUnit } from './unit.ts';

export interface UnitPair {
  readonly a: CompareUnit;
  readonly b: CompareUnit;
  /** For a person: why these two. */
  readonly by: string;
  /** Names of facts (fair-facts.ts) that differ because they are what is compared. */
  readonly compared: readonly string[];
}

export interface Pairing {
  readonly pairs: readonly UnitPair[];
  readonly onlyA: readonly CompareUnit[];
  readonly onlyB: readonly CompareUnit[];
  /** Of these, those that belong together by a rule which leaves open which to which. */
  readonly ambiguous: readonly Ambiguity[];
}

export interface Ambiguity {
  /** The rule, for a person. */
  readonly by: string;
  /** One of the two has several. */
  readonly a: readonly CompareUnit[];
  readonly b: readonly CompareUnit[];
}

interface Rule {
  readonly by: string;
  /** Two units with equal keys belong together; null: the rule says nothing of such a case. */
  readonly keyOf: (unit: CompareUnit) => string | null;
  readonly compared: readonly string[];
}

const batch = ['global batch', 'micro-batch', 'accumulation'];

/** The same work, strictest first: each takes what those before it left. */
const sameWork: readonly Rule[] = [
  { by: 'same case', keyOf: ({ caseId }) => caseId, compared: [] },
  {
    by: 'same mode, size, chips, batch and sequence',
    keyOf: alike(
      'workload',
      'mode',
      'model',
      'chips',
      'sequenceParallel',
      'microBatch',
      'globalBatch',
      'sequenceLength',
    ),
    compared: [],
  },
  {
    by: 'same mode, size, chips, global batch and sequence',
    keyOf: alike('mode', 'model', 'chips', 'globalBatch', 'sequenceLength'),
    compared: [],
  },
];

/** Other work: one of them, the first that finds pairs, and only where no two cases do the same. */
const otherWork: readonly Rule[] = [
  {
    by: 'same size, chips, batch and sequence: another mode',
    keyOf: alike('model', 'chips', 'globalBatch', 'sequenceLength'),
    compared: ['mode', 'ratio'],
  },
  {
    by: 'same mode, size, chips and sequence: another batch',
    keyOf: alike('mode', 'model', 'chips', 'sequenceLength'),
    compared: batch,
  },
  {
    by: 'same mode, size and sequence: other chips',
    keyOf: alike('mode', 'model', 'sequenceLength'),
    // Threads follow from the cores of a rank.
    compared: ['chips', 'sequence-parallel', environmentName('OMP_NUM_THREADS'), ...batch],
  },
  {
    by: 'same mode, chips and sequence: another size',
    keyOf: alike('mode', 'chips', 'sequenceLength'),
    compared: ['size', 'parameters', ...batch],
  },
  {
    by: 'same mode, size and chips: another sequence',
    keyOf: alike('mode', 'model', 'chips'),
    compared: ['sequence', 'parameters', ...batch],
  },
];

/**
 * Finds for each case of A the one of B that it is to be held against. Nothing is paired by guess: where several of
 * one side fit, none is taken.
 */
export function pairUnits(a: readonly CompareUnit[], b: readonly CompareUnit[]): Pairing {
  const systems = new Set(a.map(({ systemKey }) => systemKey));
  // Two machines are compared only where the two sides share none.
  const shareSystem = b.some(({ systemKey }) => systems.has(systemKey));
  const state = new Matching(a, b, shareSystem);
  for (const rule of sameWork) state.match(rule);
  for (const rule of otherWork) if (state.pairs.length === 0) state.match(rule);
  if (state.pairs.length === 0 && a.length === 1 && b.length === 1) {
    state.match({ by: 'the only case of each', keyOf: () => '', compared: [] });
  }
  const ambiguous = state.ambiguous();
  return { pairs: state.inOrder(a), onlyA: state.a, onlyB: state.b, ambiguous };
}

/** What is left of both sides, and what was found. */
class Matching {
  readonly pairs: UnitPair[] = [];
  a: readonly CompareUnit[];
  b: readonly CompareUnit[];
  readonly #shareSystem: boolean;

  constructor(a: readonly CompareUnit[], b: readonly CompareUnit[], shareSystem: boolean) {
    this.a = a;
    this.b = b;
    this.#shareSystem = shareSystem;
  }

  match({ by, keyOf, compared }: Rule): void {
    const full = this.#keyOf(keyOf);
    const [left, right] = [onlyOnes(this.a, full), onlyOnes(this.b, full)];
    const taken = new Set<CompareUnit>();
    for (const [key, a] of left) {
      const b = right.get(key);
      if (a === undefined || b === undefined) continue;
      this.pairs.push({ a, b, by, compared: this.#shareSystem ? compared : [...compared, 'system'] });
      taken.add(a).add(b);
    }
    this.a = this.a.filter((unit) => !taken.has(unit));
    this.b = this.b.filter((unit) => !taken.has(unit));
  }

  /** What is left of both sides though it is the same work, loosest rule first: that has all of the others' too. */
  ambiguous(): Ambiguity[] {
    const told = new Set<CompareUnit>();
    return [...sameWork].reverse().flatMap(({ by, keyOf }) => {
      const full = this.#keyOf(keyOf);
      const isLeft = (unit: CompareUnit): boolean => !told.has(unit) && full(unit) !== null;
      const ofB = groupBy(this.b.filter(isLeft), full);
      return [...groupBy(this.a.filter(isLeft), full)].flatMap(([key, a]) => {
        const b = ofB.get(key) ?? [];
        if (b.length === 0) return [];
        for (const unit of [...a, ...b]) told.add(unit);
        return [{ by, a, b }];
      });
    });
  }

  #keyOf(keyOf: Rule['keyOf']): Rule['keyOf'] {
    return (unit) => {
      const key = keyOf(unit);
      return key === null ? null : JSON.stringify([key, this.#shareSystem ? unit.systemKey : null]);
    };
  }

  inOrder(a: readonly CompareUnit[]): UnitPair[] {
    const rank = new Map(a.map((unit, index) => [unit, index]));
    return [...this.pairs].sort((x, y) => (rank.get(x.a) ?? 0) - (rank.get(y.a) ?? 0));
  }
}

/** Units by key; undefined where several have it. */
function onlyOnes(
  units: readonly CompareUnit[],
  keyOf: (unit: CompareUnit) => string | null,
): Map<string, CompareUnit | undefined> {
  const byKey = new Map<string, CompareUnit | undefined>();
  for (const unit of units) {
    const key = keyOf(unit);
    if (key !== null) byKey.set(key, byKey.has(key) ? undefined : unit);
  }
  return byKey;
}

function alike(...fields: readonly (keyof Case)[]): Rule['keyOf'] {
  return ({ record: { case: subject } }) =>
    subject === null
      ? null
      : canonicalJson(fields.map((field) => (field === 'model' ? subject.model.name : subject[field])));
}
