import { fairFacts, type FairFact, type Reading } from './fair-facts.ts';
import { environmentDifferences, environmentName } from './launch-environment.ts';
import type { RunRecord } from './record.ts';

/** One thing that two runs do not have in common, each side as it is written. */
export interface Difference {
  readonly name: string;
  readonly a: string;
  readonly b: string;
}

/** What stands between two runs and a fair ratio. */
export interface Fairness {
  readonly differences: readonly Difference[];
  /** Names of what one of them or both do not say. */
  readonly unknown: readonly string[];
}

/** Holds two runs against each other, fact by fact (fair-facts.ts). */
export function fairnessOf(a: RunRecord, b: RunRecord): Fairness {
  const differences: Difference[] = [];
  const unknown: string[] = [];
  for (const fact of fairFacts) {
    const [left, right] = [fact.of(a), fact.of(b)];
    if (left === null || right === null) continue;
    if (left === undefined || right === undefined) unknown.push(fact.name);
    else if (!areAlike(fact, left, right)) {
      differences.push({ name: fact.name, a: textOf(fact, left, a), b: textOf(fact, right, b) });
    }
  }
  const environment = environmentDifferences(a, b);
  if (environment === null) unknown.push('environment');
  else differences.push(...environment);
  return { differences, unknown };
}

/** Everything that makes a ratio of two runs say less than it seems to, in short; empty when it is fair. */
export function unfairness(a: RunRecord, b: RunRecord): string[] {
  const { differences } = fairnessOf(a, b);
  const told = new Set(differences.map(({ name }) => name));
  return differences
    .filter(({ name }) => !implied.get(name)?.some((other) => told.has(other)))
    .map(describeDifference);
}

const implied = new Map<string, readonly string[] | undefined>([
  ...fairFacts.map(({ name, impliedBy }) => [name, impliedBy] as const),
  // The plan sets it, by the cores of a rank.
  [environmentName('OMP_NUM_THREADS'), ['chips', 'system', 'binding']],
]);

/** `dtype bf16 against fp16`; a unit that both sides have is said once. */
export function describeDifference({ name, a, b }: Difference): string {
  const unit = / (?:GiB|MHz|W)$/.exec(a)?.[0] ?? '';
  return `${name} ${unit !== '' && b.endsWith(unit) ? a.slice(0, -unit.length) : a} against ${b}`;
}

function areAlike({ within }: FairFact, a: NonNullable<Reading>, b: NonNullable<Reading>): boolean {
  if (within === undefined || typeof a !== 'number' || typeof b !== 'number') return a === b;
  const distance = Math.abs(a - b);
  if ('difference' in within) return distance <= within.difference;
  return distance <= within.share * Math.max(Math.abs(a), Math.abs(b));
}

function textOf({ text }: FairFact, value: NonNullable<Reading>, record: RunRecord): string {
  return text !== undefined && typeof value === 'number' ? text(value, record) : String(value);
}
