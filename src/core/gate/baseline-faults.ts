import type { Fault } from '../../errors.ts';
import type { Baseline, ExpectedFailure, Reference } from './baseline.ts';
import { caseTitle, keyOf } from './gate-case.ts';
import { metrics } from './metric.ts';

/**
 * What the schema of a baseline cannot say: every reference has a bound on its worse side and the unit of its metric,
 * none is there twice, and every day is one of the calendar.
 * @param place what the file is called in a message
 */
export function baselineFaults(baseline: Baseline, place: string): Fault[] {
  const seen = new Map<string, number>();
  const references = baseline.references.flatMap((reference, index) => {
    const at = `${place} /references/${index}`;
    const name = `${reference.metric} ${keyOf(reference.case)}`;
    const twin = seen.get(name);
    seen.set(name, index);
    return [
      ...referenceFaults(reference, at),
      ...(twin === undefined ? [] : [twinFault(reference, at, twin)]),
    ];
  });
  return [
    ...references,
    ...baseline.expectedFailures.flatMap((each, index) => dayFaults(each, index, place)),
  ];
}

function referenceFaults({ metric, unit, ...reference }: Reference, at: string): Fault[] {
  const known = metrics[metric];
  const side = known.worse === 'down' ? 'lower' : 'upper';
  const faults: Fault[] = [];
  if (reference[side] === null) {
    const problem = 'is null: nothing would ever be worse';
    faults.push({ place: `${at}/${side}`, problem, expected: 'a share, such as 0.05' });
  }
  if (unit !== known.unit) {
    const problem = `is ${JSON.stringify(unit)}`;
    faults.push({ place: `${at}/unit`, problem, expected: JSON.stringify(known.unit) });
  }
  return faults;
}

function twinFault({ metric, case: subject }: Reference, place: string, twin: number): Fault {
  const problem = `is a second reference of ${metric} for ${caseTitle(subject)}`;
  return { place, problem, expected: `one: see /references/${twin}` };
}

function dayFaults({ until }: ExpectedFailure, index: number, place: string): Fault[] {
  if (isDay(until)) return [];
  const at = `${place} /expectedFailures/${index}/until`;
  return [
    { place: at, problem: `${JSON.stringify(until)} is no day`, expected: 'a day, such as 2026-12-31' },
  ];
}

function isDay(text: string): boolean {
  const ms = Date.parse(`${text}T00:00:00Z`);
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(text);
}
