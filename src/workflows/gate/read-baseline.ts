import { refuseNewer } from '../../core/json/schema-version.ts';
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { dataFolders, readModels } from '../../adapters/experiment-data.ts';
import { readJson } from '../../adapters/files.ts';
import { validateData } from '../../adapters/validate.ts';
import { baselineFaults } from '../../core/gate/baseline-faults.ts';
import { baselineVersion, type Baseline } from '../../core/gate/baseline.ts';
import { nearest } from '../../core/experiment/nearest.ts';
import { caseWordFaults } from '../../core/gate/case-words.ts';
import { metricNames } from '../../core/gate/metric.ts';
import { makeReferences, type ReferenceOptions } from '../../core/gate/make-references.ts';
import { faultsError, SuperOffloadError, type Fault } from '../../errors.ts';
import type { Context } from '../context.ts';
import { readRecords } from '../records/read-records.ts';

export interface FoundBaseline {
  readonly baseline: Baseline;
  /** What a reader is told: the file's name, or the tag. */
  readonly name: string;
  /** Absolute; null where runs are the baseline. */
  readonly path: string | null;
  readonly notes: readonly string[];
}

/**
 * Reads what `--baseline` names: a file of references, else runs that are the reference (a tag, a campaign, ids, a
 * folder), from which references are made on the spot.
 * @throws SuperOffloadError 'config' with every fault of a file; 'usage' where it is nothing of the kind.
 */
export async function findBaseline(
  context: Context,
  name: string,
  options: ReferenceOptions,
): Promise<FoundBaseline> {
  const path = resolve(context.cwd, name);
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  const value = isFile && !name.endsWith('.ndjson') ? await jsonOf(path) : undefined;
  // A run's record is a file too, and a baseline as good as its tag is.
  if (value !== undefined && !isRecord(value)) {
    return { baseline: checkBaseline(value, name, knownModels(context)), name, path, notes: [] };
  }
  if (value === undefined && name.endsWith('.json') && !isFile) throw noBaseline(name);
  const { records, notes } = await readRecords(context, [name]);
  const runs = records.map(({ record }) => record);
  const references = makeReferences(runs, [], options);
  if (references.length === 0) {
    throw new SuperOffloadError({
      code: 'usage',
      message: `--baseline ${name}: none of its ${runs.length} runs says any of ${options.metrics.join(', ')}`,
      hint: 'see: superoffload runs list',
    });
  }
  const baseline = {
    schemaVersion: baselineVersion,
    updatedUtc: null,
    references,
    expectedFailures: [],
  } as const;
  return { baseline, name, path: null, notes };
}

/** Sizes that have a name here: the package's and those of the user's folder. */
export function knownModels(context: Context): string[] {
  return readModels(dataFolders(context)).map(({ shape }) => shape.name);
}

/** Seven names are a list; the one that was meant is an answer. */
function meantMetric(fault: Fault): Fault {
  const word = fault.place.endsWith('/metric') ? /^is "(.*)"$/.exec(fault.problem)?.[1] : undefined;
  const meant = word === undefined ? undefined : nearest(word, metricNames);
  return meant === undefined ? fault : { ...fault, expected: `did you mean "${meant}"?` };
}

/** An archive is no JSON, and no fault of the user's. */
async function jsonOf(path: string): Promise<unknown> {
  if (/\.(tar|tgz|gz|zst)$/.test(path)) return undefined;
  return readJson(path);
}

function isRecord(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'runId' in value;
}

function noBaseline(name: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'usage',
    message: `--baseline ${name}: there is no such file`,
    hint: `make it from stored runs: superoffload gate update --baseline ${name}`,
  });
}

/**
 * Checks the content of a baseline file.
 * @param models sizes that are known by name
 * @throws SuperOffloadError 'config' with every fault, each with its place.
 */
export function checkBaseline(value: unknown, place: string, models: readonly string[]): Baseline {
  const version = Object(value) as { readonly schemaVersion?: unknown };
  refuseNewer(place, version.schemaVersion, baselineVersion);
  const faults = validateData('baseline', value, place);
  if (faults.length > 0) throw faultsError('config', faults.map(meantMetric));
  const file = value as Omit<Baseline, 'expectedFailures'> & Partial<Baseline>;
  const baseline = { ...file, expectedFailures: file.expectedFailures ?? [] };
  const rules = [...baselineFaults(baseline, place), ...caseWordFaults(baseline, models, place)];
  if (rules.length > 0) throw faultsError('config', rules);
  return baseline;
}
