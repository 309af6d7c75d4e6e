import { join } from 'node:path';
import { readBeside } from '../../adapters/record-files.ts';
import { compareSets, type NamedSet } from '../../core/compare/compare.ts';
import type { Comparison } from '../../core/compare/comparison.ts';
import { filterFaults, parseFilter, passes, underFlag, type CaseFilter } from '../../core/campaign/filter.ts';
import { ambiguousLines } from '../../core/compare/words.ts';
import { unitsOf } from '../../core/compare/unit.ts';
import { distinctFaults } from '../../core/experiment/distinct-faults.ts';
import type { MetricName } from '../../core/gate/metric.ts';
import type { FoundRecord, RecordSet } from '../../core/results/record-set.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { readArchivedJson } from '../archive/archived-texts.ts';
import { readRecords } from '../records/read-records.ts';
import { withClipRates } from './clip-rates.ts';

export interface CompareRequest {
  /** Sources, as `readRecords` takes them. */
  readonly a: string;
  readonly b: string;
  readonly metrics: readonly MetricName[];
  /** `KEY=VALUE,...`, or a part of the case id; none passes all. */
  readonly filters: readonly string[];
  /** The same, of one side alone. */
  readonly filtersOfA?: readonly string[];
  readonly filtersOfB?: readonly string[];
}

/**
 * Holds the results of B against those of A.
 * @throws SuperOffloadError 'usage' where a source is nothing of the kind, or where the two have nothing to compare.
 */
export async function compareResults(context: Context, request: CompareRequest): Promise<Comparison> {
  const [before, after] = await readSides(context, wantedOf(request));
  requireSome(before, after);
  requireTwo(before, after);
  const [a, b] = [withClipRates(before), withClipRates(after)];
  const comparison = compareSets(a, b, request.metrics, await configReader(context, a, b));
  if (comparison.cases.length === 0) throw nothingInCommon(a, b, comparison);
  return comparison;
}

/** A source, and which of its cases. */
interface Wanted {
  readonly name: string;
  readonly words: readonly string[];
  readonly filter: CaseFilter;
  /** The flags that the filters may have come from. */
  readonly flags: string;
}

/** @throws SuperOffloadError 'usage' with every fault of every filter. */
function wantedOf({ a, b, filters, filtersOfA = [], filtersOfB = [] }: CompareRequest): [Wanted, Wanted] {
  const sides = [
    { name: a, own: filtersOfA, flag: '--case-a' },
    { name: b, own: filtersOfB, flag: '--case-b' },
  ].map(({ name, own, flag }) => {
    const flags = own.length === 0 ? '--case' : filters.length === 0 ? flag : `--case and ${flag}`;
    const all = [...filters, ...own];
    const words = all.filter((word) => !word.includes('='));
    return { name, flags, words, parsed: parseFilter(all.filter((word) => word.includes('='))) };
  });
  const faults = sides.flatMap(({ parsed, flags }) =>
    parsed.ok ? [] : parsed.faults.map((fault) => underFlag(fault, flags)),
  );
  if (faults.length > 0) throw faultsError('usage', distinctFaults(faults));
  const [before, after] = sides.map(({ parsed, ...side }) => ({
    ...side,
    filter: parsed.ok ? parsed.filter : new Map(),
  }));
  if (before === undefined || after === undefined) throw new Error('two sides');
  return [before, after];
}

interface Side extends NamedSet, Wanted {
  /** Before the filters. */
  readonly all: RecordSet['records'];
}

/** @throws SuperOffloadError with what is wrong of both sides, where both are. */
async function readSides(context: Context, wanted: readonly [Wanted, Wanted]): Promise<[Side, Side]> {
  const [a, b] = [
    await attempt(() => readSide(context, wanted[0])),
    await attempt(() => readSide(context, wanted[1])),
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

async function readSide(context: Context, wanted: Wanted): Promise<Side> {
  const { name, words } = wanted;
  // A word that could be of the hash says nothing of old runs, whose folders end with another one than the case has.
  const certain = words.filter((word) => !/(?:^|-)[0-9a-f]{1,8}$/.test(word));
  const mayPass = (caseId: string): boolean => certain.every((word) => caseId.includes(word));
  const { records, notes }: RecordSet = await readRecords(context, [name], { mayPass });
  for (const message of shortened(notes)) context.emit({ type: 'note', message });
  return { ...wanted, all: records, records: records.filter((found) => isWanted(found, wanted)) };
}

function isWanted({ record }: FoundRecord, { words, filter }: Wanted): boolean {
  if (!words.every((word) => record.caseId.includes(word))) return false;
  return record.case === null ? filter.size === 0 : passes(record.case, filter);
}

const shownNotes = 10;

function shortened(notes: readonly string[]): string[] {
  const more = notes.length - shownNotes;
  return more > 0 ? [...notes.slice(0, shownNotes), `and ${more} more that could not be used`] : [...notes];
}

function requireSome(...sides: readonly Side[]): void {
  const empty = sides.filter(({ records }) => records.length === 0);
  if (empty.length === 0) return;
  const misspelt = sides.flatMap(({ all, filter, flags }) => {
    const cases = all.flatMap(({ record }) => record.case ?? []);
    const isFiltered = filter.size > 0 && cases.length > 0;
    return isFiltered ? filterFaults(filter, cases).map((fault) => underFlag(fault, flags)) : [];
  });
  throw faultsError(
    'usage',
    distinctFaults([
      ...empty.map(({ name, words, filter, flags }) => ({
        place: name,
        problem:
          words.length > 0 || filter.size > 0
            ? `no run of it passes ${flags}`
            : 'it has no run with a record',
      })),
      ...misspelt,
    ]),
    'see: superoffload runs list',
  );
}

/** The DeepSpeed JSON of a run, where its folder or its archive has it. */
async function configReader(
  context: Context,
  ...sets: readonly NamedSet[]
): Promise<(record: RunRecord) => unknown> {
  const all = sets.flatMap(({ records }) => records);
  const archived = await readArchivedJson(context, all, runFiles.deepspeedConfig);
  const folders = new Map(all.map(({ record, folder }) => [record.runId, folder]));
  return ({ runId }) => {
    const folder = folders.get(runId) ?? null;
    if (folder !== null) return readBeside(join(folder, runFiles.deepspeedConfig));
    return archived.get(runId) ?? undefined; // null is a value too, of which nothing could be told
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

function nothingInCommon(a: NamedSet, b: NamedSet, { ambiguous }: Comparison): SuperOffloadError {
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
    message: [
      `nothing to compare: no case of ${a.name} belongs to just one of ${b.name}`,
      ...[list(a), list(b), ...ambiguousLines(ambiguous)].map((line) => `  ${line}`),
    ].join('\n'),
    hint: 'name one case of each with --case, --case-a and --case-b, such as --case-a mode=prism,model=2B,ratio=0.9',
  });
}
