import { groupBy } from '../collections/group-by.ts';
import { canonicalJson } from '../experiment/case-id.ts';
import type { CompareUnit } from './unit.ts';

/** Told by every title. */
const inTitle: ReadonlySet<string> = new Set([
  ...[
    'workload',
    'mode',
    'model',
    'chips',
    'globalBatch',
    'microBatch',
    'gradientAccumulation',
    'sequenceLength',
  ],
  ...['dtype', 'activationCheckpointing'],
]);

/** Longer values are no part of a title. */
const maxValueChars = 40;

/**
 * Gives cases of equal titles what tells them apart: the system, and the settings that are not the same in all of them.
 * @returns the title of each unit.
 */
export function distinctTitles(units: readonly CompareUnit[]): Map<CompareUnit, string> {
  const groups = groupBy(units, ({ title }) => title);
  return new Map(
    [...groups.values()].flatMap((group) => group.map((unit) => [unit, titleAmong(unit, group)] as const)),
  );
}

function titleAmong(unit: CompareUnit, group: readonly CompareUnit[]): string {
  const systems = new Set(group.map(({ systemKey }) => systemKey));
  const own = settingsOf(unit, inTitle);
  const others = group.map((each) => settingsOf(each, inTitle));
  const names = [...new Set(others.flatMap((each) => [...each.keys()]))];
  const settings = names.filter((name) => others.some((each) => each.get(name) !== own.get(name)));
  return [
    unit.title,
    ...settings.flatMap((name) => {
      const value = own.get(name);
      return value === undefined || value.length > maxValueChars ? [] : [`${name} ${value}`];
    }),
    ...(systems.size > 1 ? [`on ${unit.systemKey}`] : []),
  ].join(', ');
}

/**
 * Settings of a case by names in words: `loss chunk`.
 * @param less fields that are not wanted
 */
export function settingsOf(
  { record: { case: subject } }: CompareUnit,
  less: ReadonlySet<string> = new Set(),
): Map<string, string> {
  return new Map(
    Object.entries(subject ?? {})
      .filter(([name]) => !less.has(name))
      .map(([name, value]) => [
        name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`),
        typeof value === 'string' ? value : canonicalJson(value),
      ]),
  );
}
