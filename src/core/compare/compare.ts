import type { MetricName } from '../gate/metric.ts';
import { fairnessOf, type Difference } from '../results/fairness.ts';
import { environmentName } from '../results/launch-environment.ts';
import type { FoundRecord } from '../results/record-set.ts';
import { systemLabel } from '../results/system-label.ts';
import type { RunRecord } from '../results/record.ts';
import { ambiguousCase } from './ambiguous.ts';
import { diffConfigs } from './config-diff.ts';
import type { ComparedCase, ComparedSide, Comparison, Differences, LoneCase } from './comparison.ts';
import { metricRatio } from './metric-ratio.ts';
import { pairUnits, type UnitPair } from './pairing.ts';
import { distinctTitles } from './titles.ts';
import { surroundingDifferences } from './surroundings.ts';
import { unitsOf, type CompareUnit } from './unit.ts';

export interface NamedSet {
  readonly name: string;
  readonly records: readonly FoundRecord[];
}

/** @param configOf the DeepSpeed JSON that a run was given; undefined where nobody has it any more. */
export function compareSets(
  a: NamedSet,
  b: NamedSet,
  metrics: readonly MetricName[],
  configOf: (record: RunRecord) => unknown,
): Comparison {
  const [left, right] = [a, b].map(({ records }) => unitsOf(records.map(({ record }) => record))) as [
    CompareUnit[],
    CompareUnit[],
  ];
  const { pairs, onlyA, onlyB, ambiguous } = pairUnits(left, right);
  const titles = distinctTitles([...left, ...right]);
  const found = pairs.map((pair) => ({ pair, differences: differencesOf(pair, configOf) }));
  const shared = commonDifferences(found.map(({ differences }) => differences));
  const isCompared = ({ name }: Difference): boolean =>
    pairs.every(({ compared }) => compared.includes(name));
  const common = { ...shared, unfair: shared.unfair.filter((each) => !isCompared(each)) };
  const ids = new Set(a.records.map(({ record }) => record.runId));
  return {
    a: sideOf(a, left),
    b: sideOf(b, right),
    sharedRuns: b.records.filter(({ record }) => ids.has(record.runId)).length,
    cases: found.map(({ pair, differences }) => comparedCase(pair, metrics, differences, common, titles)),
    differences: common,
    onlyA: onlyA.map((unit) => loneCase(unit, titles)),
    onlyB: onlyB.map((unit) => loneCase(unit, titles)),
    ambiguous: ambiguous.map(ambiguousCase),
  };
}

function sideOf({ name, records }: NamedSet, units: readonly CompareUnit[]): ComparedSide {
  const times = records.map(({ record }) => record.startedUtc).sort();
  return {
    name,
    runs: records.length,
    cases: units.length,
    systems: [...new Set(units.map(({ record }) => systemLabel(record.system)))],
    firstUtc: times[0] ?? '',
    lastUtc: times.at(-1) ?? '',
  };
}

function differencesOf({ a, b }: UnitPair, configOf: (record: RunRecord) => unknown): Differences {
  const { differences, unknown } = fairnessOf(a.record, b.record);
  const [left, right] = [configOf(a.record), configOf(b.record)];
  const told = new Set(differences.map(({ name }) => name));
  return {
    unfair: differences,
    other: surroundingDifferences(a.record, b.record).filter(
      ({ name }) => !told.has(name) && !told.has(environmentName(name)),
    ),
    config: left === undefined || right === undefined ? [] : diffConfigs(left, right),
    unknown,
  };
}

/** What every pair has alike is said once; of a single pair that is all. */
function commonDifferences(all: readonly Differences[]): Differences {
  const common = <T>(of: (each: Differences) => readonly T[], keyOf: (value: T) => string): T[] => {
    const [first, ...rest] = all.map((each) => new Map(of(each).map((value) => [keyOf(value), value])));
    return first === undefined
      ? []
      : [...first].filter(([key]) => rest.every((other) => other.has(key))).map(([, value]) => value);
  };
  return {
    unfair: common(({ unfair }) => unfair, differenceKey),
    other: common(({ other }) => other, differenceKey),
    config: common(({ config }) => config, differenceKey),
    unknown: common(({ unknown }) => unknown, String),
  };
}

function differenceKey({ name, a, b }: Difference): string {
  return JSON.stringify([name, a, b]);
}

function comparedCase(
  { a, b, by, compared }: UnitPair,
  metrics: readonly MetricName[],
  differences: Differences,
  common: Differences,
  titles: ReadonlyMap<CompareUnit, string>,
): ComparedCase {
  const [title, titleB] = [a, b].map((unit) => titles.get(unit) ?? unit.title) as [string, string];
  const isCompared = ({ name }: Difference): boolean => compared.includes(name);
  return {
    title,
    titleB: titleB === title ? null : titleB,
    caseIdA: a.caseId,
    caseIdB: b.caseId,
    systemA: a.systemKey,
    systemB: b.systemKey,
    pairedBy: by,
    compared: differences.unfair.filter(isCompared),
    metrics: metrics.flatMap((metric) => metricRatio(metric, a, b) ?? []),
    differences: {
      unfair: without(differences.unfair, common.unfair).filter((each) => !isCompared(each)),
      other: without(differences.other, common.other),
      config: without(differences.config, common.config),
      unknown: differences.unknown.filter((name) => !common.unknown.includes(name)),
    },
    mixed: [...mixedLaunches('A', a), ...mixedLaunches('B', b)],
    failed: [...failedLaunches('A', a), ...failedLaunches('B', b)],
  };
}

function without(all: readonly Difference[], told: readonly Difference[]): Difference[] {
  const keys = new Set(told.map(differenceKey));
  return all.filter((each) => !keys.has(differenceKey(each)));
}

/** Software and settings, not what moves by itself from launch to launch. */
const moving: ReadonlySet<string> = new Set(['GPU clock', 'GPU memory', 'skipped steps', 'clip rate']);

function mixedLaunches(side: string, { record, measured }: CompareUnit): string[] {
  // Launches of a case are many, and most of them alike.
  const kinds = new Map(measured.map((launch) => [kindOf(launch), launch]));
  kinds.delete(kindOf(record));
  const all = [...kinds.values()].flatMap((launch) => [
    ...fairnessOf(record, launch).differences.filter(({ name }) => !moving.has(name)),
    ...surroundingDifferences(record, launch).filter(
      ({ name }) => name === 'superoffload' || name.endsWith(' source'),
    ),
  ]);
  const values = new Map<string, Set<string>>();
  for (const { name, a, b } of all) values.set(name, new Set([...(values.get(name) ?? []), a, b]));
  return [...values].map(([name, texts]) => `launches of ${side} with ${name} ${[...texts].join(', ')}`);
}

/** Equal for launches of one case that nothing of {@link mixedLaunches} tells apart. */
function kindOf({ facts, stack, tool, placement, conditions, environment }: RunRecord): string {
  const { deepspeed, torch, attention, parameters } = facts;
  const said = [deepspeed, torch, attention, parameters, facts['data entropy (nats)'], facts['tied head']];
  const made = [stack?.hash, tool?.version, tool?.commit, tool?.dirty];
  const placed = [placement?.binding, placement?.hostNumaNodes, placement?.exclusiveHost];
  return JSON.stringify([
    ...said,
    ...made,
    ...placed,
    environment?.hash,
    conditions.cpuAdamThreads,
    conditions.gpu?.powerCapWatt,
  ]);
}

function failedLaunches(side: string, { launches, measured }: CompareUnit): string[] {
  const good = new Set(measured);
  const failed = launches.filter((launch) => !good.has(launch));
  const reasons = new Set(failed.map(({ outcome }) => `${outcome.class}: ${outcome.reason}`));
  return [...reasons].map((reason) => {
    const count = failed.filter(({ outcome }) => `${outcome.class}: ${outcome.reason}` === reason).length;
    return `${side}: ${count === launches.length ? '' : `${count} of ${launches.length} `}${reason}`;
  });
}

function loneCase(unit: CompareUnit, titles: ReadonlyMap<CompareUnit, string>): LoneCase {
  const { title, caseId, systemKey, launches } = unit;
  const classes = [...new Set(launches.map(({ outcome }) => outcome.class))];
  return { title: titles.get(unit) ?? title, caseId, system: systemKey, outcome: classes.join(', ') };
}
