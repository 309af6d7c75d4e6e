/** How two stacks differ. */
import { factGroups, type LockFact } from './lock-facts.ts';

export interface LockDifference {
  readonly group: LockFact['group'];
  readonly name: string;
  /** null: one of them does not have it. */
  readonly a: string | null;
  readonly b: string | null;
}

/** @returns every fact that decides behaviour and is not the same in both, in the order of the groups. */
export function diffFacts(a: readonly LockFact[], b: readonly LockFact[]): LockDifference[] {
  const keyOf = ({ group, name }: LockFact): string => `${group}\0${name}`;
  const [left, right] = [a, b].map(
    (facts) => new Map(facts.filter(({ decides }) => decides).map((fact) => [keyOf(fact), fact])),
  ) as [Map<string, LockFact>, Map<string, LockFact>];
  const differences = [...new Map([...left, ...right])].flatMap(([key, { group, name }]) => {
    const [before, after] = [left.get(key)?.value ?? null, right.get(key)?.value ?? null];
    return before === after ? [] : [{ group, name, a: before, b: after }];
  });
  const rank = ({ group }: LockDifference): number => factGroups.indexOf(group);
  return differences.sort((x, y) => rank(x) - rank(y));
}
