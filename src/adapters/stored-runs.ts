import { refuseNewer } from '../core/json/schema-version.ts';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SuperOffloadError } from '../errors.ts';
import type { RunPlan } from '../core/plan/run-plan.ts';
import { migratePlan } from '../core/results/migrate.ts';
import { parseEvents, type RunEvent } from '../core/results/run-event.ts';
import { runFiles } from '../core/results/run-files.ts';
import type { RunRecord, ToolIdentity } from '../core/results/record.ts';
import { parseJson, storageError } from './files.ts';
import { whereIs } from './place.ts';
import { isRunning, processesOfRun } from './processes.ts';
import { readBeside, readRecordFile } from './record-files.ts';
import { listRunIds, runsFolder } from './run-store.ts';

/** The suffix that tells runs of one second apart has as many. */
const minIdChars = 4;

/** The newest schemas this version reads and writes. */
const knownVersion = 1;

/** What lies in one run folder, as far as it was written. */
export interface StoredRun {
  readonly runId: string;
  readonly path: string;
  /** null when the tool was killed before it wrote the plan. */
  readonly plan: RunPlan | null;
  /** null while it runs, and after the tool was killed. */
  readonly record: RunRecord | null;
  /** Which superoffload started it. */
  readonly tool: ToolIdentity | null;
  /** Of whoever started it, secrets hidden; undefined where its folder does not say. */
  readonly environment: Readonly<Record<string, string>> | undefined;
  readonly events: readonly RunEvent[];
  /** Processes of the run that are alive, its leader first. */
  readonly livePids: readonly number[];
  /** Whether a tool that started it or took it over is still there. */
  readonly watched: boolean;
  /** True for a run without a record that was started on another machine or in another container: nobody here can
   * tell whether it is alive. */
  readonly elsewhere: boolean;
}

/**
 * Reads one run.
 * @throws SuperOffloadError 'usage' when there is no such run; 'config' when a newer version of the tool wrote it.
 */
export function readRun(home: string, runId: string): StoredRun {
  const path = join(runsFolder(home), runId);
  return {
    runId,
    path,
    plan: readPlan(path),
    record: recordOrThrow(join(path, runFiles.record)),
    tool: (readEnv(path)?.tool ?? null) as ToolIdentity | null,
    environment: storedEnvironment(path),
    ...readJournal(home, runId),
  };
}

function readPlan(path: string): RunPlan | null {
  const plan = readVersioned(join(path, runFiles.plan), ['command', 'limits']) as RunPlan | null;
  return plan === null ? null : migratePlan(plan);
}

interface StoredEnv {
  readonly tool?: unknown;
  readonly environment?: unknown;
}

function readEnv(path: string): StoredEnv | null {
  const text = readText(join(path, runFiles.env));
  return text === null ? null : (parseJson(text, join(path, runFiles.env)) as StoredEnv | null);
}

/**
 * @returns the environment of whoever started a run, secrets hidden; undefined where its folder does not say: no record
 * is lost for it.
 */
export function storedEnvironment(path: string): Record<string, string> | undefined {
  const { environment } = (readBeside(join(path, runFiles.env)) ?? {}) as StoredEnv;
  if (typeof environment !== 'object' || environment === null) return undefined;
  const isText = (entry: [string, unknown]): entry is [string, string] => typeof entry[1] === 'string';
  return Object.fromEntries(Object.entries(environment).filter(isText));
}

/** @returns what a run's journal says, without a look at its processes. */
export function readEvents(path: string): RunEvent[] {
  return parseEvents(readText(join(path, runFiles.events)) ?? '');
}

/** Whether a run without a record was begun on machines that a schedule gave it, and nobody has seen its end. */
export function mayRunOnSchedule(path: string, events: readonly RunEvent[]): boolean {
  if (!existsSync(join(path, runFiles.nodeScript)) || existsSync(join(path, runFiles.record))) return false;
  const has = (...types: readonly RunEvent['type'][]): boolean =>
    events.some(({ type }) => types.includes(type));
  return has('started', 'submitted') && !has('exited', 'job-ended');
}

type Journal = Pick<StoredRun, 'events' | 'livePids' | 'watched' | 'elsewhere'>;

/** What a run's journal says, whatever became of its other files. */
export function readJournal(home: string, runId: string): Journal {
  const path = join(runsFolder(home), runId);
  const events = readEvents(path);
  // Whoever took over last says where it is followed.
  const starting = events.findLast((event) => event.type === 'starting' || event.type === 'attached');
  const where = whereIs(starting?.place);
  if (where !== 'here') {
    const elsewhere = where === 'elsewhere' && !existsSync(join(path, runFiles.record));
    return { events, livePids: [], watched: false, elsewhere };
  }
  return {
    events,
    livePids: livePids(runId, events),
    watched: watcherOf(events) !== null,
    elsewhere: false,
  };
}

/** A superoffload process of this machine. */
export interface Watcher {
  readonly toolPid: number;
  readonly toolStartTicks: string | null;
}

/**
 * Who follows a run here: the first of those that took it and are alive. Two that take over at the same time both
 * write that into the journal, and by the order of the lines both know whose it is.
 */
export function watcherOf(events: readonly RunEvent[]): Watcher | null {
  const takers = events.filter((event) => event.type === 'starting' || event.type === 'attached');
  const tools: readonly Watcher[] = takers.filter(({ place }) => whereIs(place) === 'here');
  // A journal of a version that wrote no `starting`.
  const known = takers.length > 0 ? tools : events.filter((event) => event.type === 'started');
  return known.find((tool) => isRunning(tool.toolPid, tool.toolStartTicks)) ?? null;
}

/**
 * The journal says who leads the run and whether its end was seen. A tool that was killed may have written neither,
 * and ranks may outlive their leader: those are found by the run's id in their environment, or by their group.
 */
function livePids(runId: string, events: readonly RunEvent[]): number[] {
  if (events.some((event) => event.type === 'exited')) return [];
  const started = events.find((event) => event.type === 'started');
  const leader = started !== undefined && isRunning(started.pid, started.startTicks) ? [started.pid] : [];
  return [...new Set([...leader, ...processesOfRun(runId, started ?? null)])];
}

/**
 * Reads only the record of one run, for long lists.
 * @returns null when it has none; the error that says why when this version cannot read it.
 */
export function readRecord(home: string, runId: string): RunRecord | SuperOffloadError | null {
  return readRecordFile(join(runsFolder(home), runId, runFiles.record));
}

function recordOrThrow(path: string): RunRecord | null {
  const record = readRecordFile(path);
  if (record instanceof SuperOffloadError) throw record;
  return record;
}

/**
 * Finds one run by its id, by the beginning or the end of it, or by `last`.
 * @throws SuperOffloadError 'usage' when none or several match, or when fewer than four characters are given:
 * `runs rm ""` must never stand for the only run there is.
 */
export async function findRunId(home: string, wanted: string): Promise<string> {
  const ids = await listRunIds(home);
  if (ids.includes(wanted)) return wanted;
  if (wanted.length < minIdChars) {
    throw new SuperOffloadError({
      code: 'usage',
      message: `${JSON.stringify(wanted)} names no run: give at least ${minIdChars} characters of its id, or "last"`,
      hint: 'see: superoffload runs list',
    });
  }
  const matches =
    wanted === 'last' ? newest(home, ids) : ids.filter((id) => id.startsWith(wanted) || id.endsWith(wanted));
  const [only] = matches;
  if (only !== undefined && matches.length === 1) return only;
  throw new SuperOffloadError({
    code: 'usage',
    message:
      matches.length === 0
        ? `there is no run ${JSON.stringify(wanted)} in ${runsFolder(home)}`
        : `${JSON.stringify(wanted)} stands for ${matches.length} runs: ${matches.slice(0, 5).join(', ')}`,
    hint: 'see: superoffload runs list',
  });
}

/** The run that was started last. Ids tell seconds apart; within one second the time of the plan does. */
function newest(home: string, ids: readonly string[]): string[] {
  const second = (id: string): string => id.slice(0, id.indexOf('Z'));
  const last = ids.at(-1);
  if (last === undefined) return [];
  const plannedMs = (id: string): number => {
    const plan = join(runsFolder(home), id, runFiles.plan);
    return statSync(plan, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  };
  return ids
    .filter((id) => second(id) === second(last))
    .sort((a, b) => plannedMs(a) - plannedMs(b))
    .slice(-1);
}

/** @returns null when the file is absent. */
function readVersioned(path: string, parts: readonly string[]): object | null {
  const text = readText(path);
  if (text === null) return null;
  const value = parseJson(text, path);
  const fields = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const version = fields['schemaVersion'];
  refuseNewer(path, version, knownVersion);
  const missing = ['schemaVersion', ...parts].filter((part) => fields[part] === undefined);
  if (missing.length > 0) {
    throw new SuperOffloadError({
      code: 'config',
      message: `${path}: not a file that superoffload wrote: it has no ${missing.join(', ')}`,
      hint: 'remove the run with `superoffload runs rm`, or the damaged file to have its record rebuilt',
    });
  }
  return fields;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw storageError(error, path);
  }
}
