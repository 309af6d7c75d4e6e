import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { dataFolders, scanSystems } from '../../../adapters/experiment-data.ts';
import { readJson } from '../../../adapters/files.ts';
import { runsFolder } from '../../../adapters/run-store.ts';
import { figureSystems, type FigureSystem } from '../../../core/figures/figure-system.ts';
import { readTimeline } from '../../../core/figures/timeline/timeline-file.ts';
import { tracedRun, type TracedRun } from '../../../core/figures/timeline/traced-run.ts';
import type { FoundRecord } from '../../../core/results/record-set.ts';
import { runFiles } from '../../../core/results/run-files.ts';
import { SuperOffloadError } from '../../../errors.ts';
import type { Context } from '../../context.ts';
import { readRecords } from '../../records/read-records.ts';
import { withRates } from '../choose-systems.ts';
import { isBareFolder, readBareFolder } from './bare-folder.ts';

/** Runs with a timeline. */
export interface TracedRuns {
  /** In the order of the sources where each names one run, else oldest first. */
  readonly runs: readonly TracedRun[];
  /** Whether each source names one run: then all of them are wanted. */
  readonly areNamed: boolean;
  /** What of the sources could not be used, and why. */
  readonly notes: readonly string[];
}

/**
 * Reads runs that have a timeline, from all that `--from` takes; besides, the folder of a run that was started without
 * this tool.
 * @param sources none means all runs of the state folder
 * @throws SuperOffloadError 'usage' with every source that is nothing of the kind; 'config' for a damaged file.
 */
export async function readTracedRuns(context: Context, sources: readonly string[]): Promise<TracedRuns> {
  const wanted = [...new Set(sources)];
  const bare = wanted.filter((source) => isBareFolder(resolve(context.cwd, source)));
  const others = wanted.filter((source) => !bare.includes(source));
  const isAll = wanted.length === 0;
  const mayPass = (_: string, runId: string): boolean => existsSync(storedTimeline(context, runId));
  const { records, notes } =
    isAll || others.length > 0
      ? await readRecords(context, others, isAll ? { mayPass } : {})
      : { records: [], notes: [] };
  const perSource = others.map((source) => records.filter((record) => record.source === source).length);
  const areNamed = !isAll && perSource.every((count) => count === 1);
  const more: string[] = [];
  const runs: (readonly [source: string, TracedRun])[] = [];
  const take = (source: string, found: TracedRun | string | null): void => {
    if (typeof found === 'string') more.push(found);
    else if (found !== null) runs.push([source, found]);
  };
  const timelineOf = await timelineReader(context, records);
  const machines = machinesOf(context, records);
  for (const found of records) take(found.source, await runOf(found, timelineOf, machines, areNamed));
  for (const source of bare) take(source, await readBareFolder(context, resolve(context.cwd, source)));
  if (areNamed) runs.sort(([a], [b]) => wanted.indexOf(a) - wanted.indexOf(b));
  return { runs: runs.map(([, run]) => run), areNamed, notes: [...notes, ...more] };
}

function storedTimeline(context: Context, runId: string): string {
  return join(runsFolder(context.home), runId, runFiles.timeline);
}

type TimelineReader = (found: FoundRecord) => Promise<unknown>;

/** @returns of a run the JSON, undefined where it has none. */
async function timelineReader(context: Context, records: readonly FoundRecord[]): Promise<TimelineReader> {
  let archived: ReadonlyMap<string, unknown> = new Map();
  if (records.some(({ folder }) => folder === null)) {
    const { readArchivedJson } = await import('../../archive/archived-texts.ts');
    archived = await readArchivedJson(context, records, runFiles.timeline);
  }
  return ({ folder, record }) =>
    folder === null ? Promise.resolve(archived.get(record.runId)) : readJson(join(folder, runFiles.timeline));
}

function machinesOf(context: Context, records: readonly FoundRecord[]): readonly FigureSystem[] {
  const { systems } = scanSystems(dataFolders(context));
  return figureSystems(records.map(({ record }) => record)).map((machine) => withRates(machine, systems));
}

/** @returns why it is not drawn, for a person; null for a run without a timeline that nobody named */
async function runOf(
  found: FoundRecord,
  timelineOf: TimelineReader,
  machines: readonly FigureSystem[],
  isNamed: boolean,
): Promise<TracedRun | string | null> {
  const { record } = found;
  const value = await timelineOf(found).catch((error: unknown) => {
    if (error instanceof SuperOffloadError) return error;
    throw error;
  });
  const name = basename(found.folder ?? record.runId);
  if (value === undefined) return isNamed ? `run ${name} has no ${runFiles.timeline}` : null;
  if (value instanceof SuperOffloadError) return value.message;
  const read = readTimeline(value);
  if (!read.ok) return `run ${name}, ${runFiles.timeline}: ${read.problem}`;
  const machine = machines.find(({ records }) => records.includes(record));
  const run = machine === undefined ? null : tracedRun(record, read.timeline, machine);
  return run ?? `run ${name} is a command of the user's: nothing is known of its model`;
}
