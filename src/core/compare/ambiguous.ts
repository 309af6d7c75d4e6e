import { cellWords } from '../campaign/filter.ts';
import type { AmbiguousCase } from './comparison.ts';
import type { Ambiguity } from './pairing.ts';
import { settingsOf } from './titles.ts';
import type { CompareUnit } from './unit.ts';

/** Cases that fit several of the other side: what tells them apart, and the flags that choose one of each side. */
export function ambiguousCase({ by, a, b }: Ambiguity): AmbiguousCase {
  const [first] = a;
  return {
    ...{ title: first?.title ?? '', pairedBy: by },
    ...{ caseIdsA: a.map(({ caseId }) => caseId), caseIdsB: b.map(({ caseId }) => caseId) },
    differ: differing(a, b),
    choose: [...chosen('--case-a', a), ...chosen('--case-b', b)].join(' '),
  };
}

function differing(a: readonly CompareUnit[], b: readonly CompareUnit[]): AmbiguousCase['differ'] {
  const settings = new Map([...a, ...b].map((unit) => [unit, valuesOf(unit)]));
  const names = new Set([...settings.values()].flatMap((values) => [...values.keys()]));
  const valuesIn = (units: readonly CompareUnit[], name: string): string[] => [
    ...new Set(units.map((unit) => settings.get(unit)?.get(name) ?? 'none')),
  ];
  return [...names].flatMap((name) =>
    valuesIn([...a, ...b], name).length < 2 ? [] : [{ name, a: valuesIn(a, name), b: valuesIn(b, name) }],
  );
}

function valuesOf(unit: CompareUnit): Map<string, string> {
  return new Map([...settingsOf(unit), ['system', unit.systemKey]]);
}

/**
 * The flag that leaves one case of a side: its mode and the first key that is another in each, else its id.
 * @returns none where the side has one, and where no flag tells them apart (one case on two systems)
 */
function chosen(flag: string, units: readonly CompareUnit[]): string[] {
  const [first] = units;
  if (first === undefined || units.length < 2) return [];
  const words = units.map(({ record }) =>
    record.case === null ? new Map<string, string>() : cellWords(record.case),
  );
  const own = words[0] ?? new Map<string, string>();
  const tells = [...own].find(([key, value]) => words.slice(1).every((other) => other.get(key) !== value));
  if (tells !== undefined) return [`${flag} mode=${own.get('mode') ?? ''},${tells[0]}=${tells[1]}`];
  const isOwnId = units.slice(1).every(({ caseId }) => !caseId.includes(first.caseId));
  return isOwnId ? [`${flag} ${first.caseId}`] : [];
}
