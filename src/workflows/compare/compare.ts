import { join } from 'node:path';
import { readBeside } from '../../adapters/record-files.ts';
import { compareSets, type NamedSet } from '../../core/compare/compare.ts';
import type { Comparison } from '../../core/compare/comparison.ts';
import { filterFaults, parseFilter, passes, type CaseFilter } from '../../core/campaign/filter.ts';
import { unitsOf } from '../../core/compare/unit.ts';
import type { MetricName } from '../../core/gate/metric.ts';
import type { FoundRecord, RecordSet } from '../../core/results/record-set.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { readRecords } from '../records/read-records.ts';
import { withClipRates } from './clip-rates.ts';

export interface CompareRequest {
  /** Sources, as `readRecords` takes them. */
  readonly a: string;
  readonly b: string;
  readonly metrics: readonly MetricName[];
  /** `KEY=VALUE,...`, or a part of the case id; none passes all. */
  readonly filters: readonly string[];
}

/**
 * Holds the results of B against those of A.
 * @throws SuperOffloadError 'usage' where a source is nothing of the kind, or where the two have nothing to compare.
 */
export async function compareResults(context: Context, request: CompareRequest): Promise<Comparison> {
  const filter = readFilters(request.filters);
  const [before, after] = await readSides(context, [request.a, request.b], filter);
  requireSome(before, after, filter);
  requireTwo(before, after);
  const [a, b] = [withClipRates(before), withClipRates(after)];
  const comparison = compareSets(a, b, request.metrics, configReader(a, b));
  if (comparison.cases.length === 0) throw nothingInCommon(a, b);
  return comparison;
}

interface Filters {
  readonly words: readonly string[];
  readonly filter: CaseFilter;
}

/** @throws SuperOffloadError 'usage' with every fault of every filter. */
function readFilters(filters: readonly string[]): Filters {
  const parsed = parseFilter(filters.filter((word) => word.includes('=')));
  if (!parsed.ok) {
    throw faultsError(
      'usage',
      parsed.faults.map((fault) => ({ ...fault, place: fault.place.replace('--filter', '--case') })),
    );
  }
  return { words: filters.filter((word) => !word.includes('=')), filter: parsed.filter };
}

interface Side extends NamedSet {
  /** Before the filters. */
  readonly all: RecordSet['records'];
}

/** @throws SuperOffloadError with what is wrong of both sides, where both are. */
async function readSides(
  context: Context,
  names: readonly [string, string],
  filters: Filters,
): Promise<[Side, Side]> {
  const [a, b] = [
    await attempt(() => readSide(context, names[0], filters)),
    await attempt(() => readSide(context, names[1], filters)),
  ];
  if (a instanceof SuperOffloadError && b instanceof SuperOffloadError && a.code === b.code) {
    const { code, hint } = a;
    const message = [...new Set([a.message, b.message])].join('\n');
    throw new SuperOffloadError({ code, message, ...(hint === undefined ? {} : { hint }) });
  }
  if (a instanceof SuperOffloadError) throw a;
  if (b instanceof SuperOffloadError) throw b;
  return [a, b];
}

async function attempt<T>(work: () => Promise<T>): Promise<T | SuperOffloadError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SuperOffloadError) return error;
    throw error;
  }
}

async function readSide(context: Context, name: string, filters: Filters): Promise<Side> {
  const { words } = filters;
  // A word that could be of the hash says nothing of old runs, whose folders end with another one than the case has.
  const certain = words.filter((word) => !/(?:^|-)[0-9a-f]{1,8}$/.test(word));
  const mayPass = (caseId: string): boolean => certain.every((word) => caseId.includes(word));
  const { records, notes }: RecordSet = await readRecords(context, [name], { mayPass });
  for (const message of shortened(notes)) context.emit({ type: 'note', message });
  return { name, all: records, records: records.filter((found) => isWanted(found, filters)) };
}

function isWanted({ record }: FoundRecord, { words, filter }: Filters): boolean {
  if (!words.every((word) => record.caseId.includes(word))) return false;
  return record.case === null ? filter.size === 0 : passes(record.case, filter);
}

const shownNotes = 10;

function shortened(notes: readonly string[]): string[] {
  const more = notes.length - shownNotes;
  return more > 0 ? [...notes.slice(0, shownNotes), `and ${more} more that could not be used`] : [...notes];
}

function requireSome(a: Side, b: Side, { words, filter }: Filters): void {
  const empty = [a, b].filter(({ records }) => records.length === 0);
  if (empty.length === 0) return;
  const cases = [a, b].flatMap(({ all }) => all.flatMap(({ record }) => record.case ?? []));
  const faults = filter.size === 0 || cases.length === 0 ? [] : filterFaults(filter, cases);
  const isFiltered = words.length > 0 || filter.size > 0;
  throw faultsError(
    'usage',
    [
      ...empty.map(({ name }) => ({
        place: name,
        problem: isFiltered ? 'no run of it passes --case' : 'it has no run with a record',
      })),
      ...faults.map((fault) => ({ ...fault, place: fault.place.replace('--filter', '--case') })),
    ],
    'see: superoffload runs list',
  );
}

/** The DeepSpeed JSON of a run, where its folder is there. */
function configReader(...sets: readonly NamedSet[]): (record: RunRecord) => unknown {
  const folders = new Map(
    sets.flatMap(({ records }) => records.map(({ record, folder }) => [record.runId, folder])),
  );
  return ({ runId }) => {
    const folder = folders.get(runId) ?? null;
    return folder === null ? undefined : readBeside(join(folder, runFiles.deepspeedConfig));
  };
}

/** Runs that are held against themselves are equal, whatever they are. */
function requireTwo(a: NamedSet, b: NamedSet): void {
  const ids = ({ records }: NamedSet): string => records.map(({ record }) => record.runId).join(' ');
  if (ids(a) !== ids(b)) return;
  throw new SuperOffloadError({
    code: 'usage',
    message: `nothing to compare: ${a.name} and ${b.name} are the same runs`,
    hint: 'name others; see: superoffload runs list, superoffload runs tag --list',
  });
}

const namedCases = 5;

function nothingInCommon(a: NamedSet, b: NamedSet): SuperOffloadError {
  const list = ({ name, records }: NamedSet): string => {
    const titles = [
      ...new Set(
        unitsOf(records.map(({ record }) => record)).map(
          ({ title, systemKey }) => `${title}, on ${systemKey}`,
        ),
      ),
    ];
    const more = titles.length - namedCases;
    return [`${name} has:`, ...titles.slice(0, namedCases), ...(more > 0 ? [`and ${more} more`] : [])].join(
      '\n    ',
    );
  };
  return new SuperOffloadError({
    code: 'usage',
    message: `nothing to compare: no case of ${a.name} belongs to just one of ${b.name}\n  ${list(a)}\n  ${list(b)}`,
    hint: 'name one case of each with --case, such as --case mode=prism,model=2B',
  });
}
