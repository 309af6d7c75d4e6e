import { listRunIds } from '../../adapters/run-store.ts';
import { readRecord, type StoredRun } from '../../adapters/stored-runs.ts';
import { filterFaults, parseFilter, passes, underFlag, type CaseFilter } from '../../core/campaign/filter.ts';
import type { Case } from '../../core/experiment/case.ts';
import { nearest } from '../../core/experiment/nearest.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { runEndOf } from '../../core/results/run-end.ts';
import { runStates, type RunState } from '../../core/results/run-state.ts';
import { faultsError, SuperOffloadError, type Fault } from '../../errors.ts';
import type { Context } from '../context.ts';
import { runIdsOf } from '../records/resolve-source.ts';
import { isNeverStarted } from './never-started.ts';
import { loadRun } from './runs.ts';

/** One line of `runs list`. */
export interface RunListing {
  readonly runId: string;
  readonly state: RunState;
  readonly title: string;
  readonly startedUtc: string | null;
  readonly stepMs: number | null;
  readonly modelTflopsPerGpu: number | null;
}

/** Which runs are wanted; nothing said of a thing means all. */
export interface WantedRuns {
  /** Runs, tags and campaigns of the state folder. */
  readonly sources?: readonly string[];
  /** As `--case` has them: `mode=prism,model=2B`. A run that is of no case passes none. */
  readonly filters?: readonly string[];
  readonly states?: readonly string[];
}

/** A listing with what it is chosen by. */
interface Looked {
  readonly listing: RunListing;
  readonly subject: Case | null;
}

/**
 * Runs, oldest first. One without a record is looked at closely: it runs, or its tool was killed.
 * @throws SuperOffloadError 'usage' with every source that names no runs, every state that there is not, every filter
 * that no run passes.
 */
export async function listRuns(context: Context, wanted: WantedRuns = {}): Promise<RunListing[]> {
  const { sources = [], filters = [], states = [] } = wanted;
  const all = await listRunIds(context.home);
  const named = sources.length === 0 ? null : new Set(await runIdsOf(context, sources, all));
  const parsed = parseFilter(filters);
  const faults = [...(parsed.ok ? [] : parsed.faults.map(asCase)), ...stateFaults(states)];
  if (!parsed.ok || faults.length > 0) throw faultsError('usage', faults);
  const looked: Looked[] = [];
  // In the order of time, however they were named.
  for (const runId of all) {
    if (named === null || named.has(runId)) looked.push(await look(context, runId));
  }
  const unmet = filterFaultsOf(parsed.filter, looked);
  if (unmet.length > 0) throw faultsError('usage', unmet);
  return looked
    .filter(({ subject }) => parsed.filter.size === 0 || (subject !== null && passes(subject, parsed.filter)))
    .map(({ listing }) => listing)
    .filter(({ state }) => states.length === 0 || states.includes(state));
}

/** A case that no run has is misspelt most often; of a home without runs that cannot be said. */
function filterFaultsOf(filter: CaseFilter, looked: readonly Looked[]): Fault[] {
  const cases = looked.flatMap(({ subject }) => (subject === null ? [] : [subject]));
  return filter.size === 0 || cases.length === 0 ? [] : filterFaults(filter, cases).map(asCase);
}

/** That no run ended so now is an answer, and no fault. */
function stateFaults(states: readonly string[]): Fault[] {
  return states
    .filter((state) => !runStates.some((known) => known === state))
    .map((state) => ({
      place: `--state ${state}`,
      problem: 'no run can have it',
      expected: nearest(state, runStates) ?? runStates.join(', '),
    }));
}

function asCase(fault: Fault): Fault {
  return underFlag(fault, '--case');
}

/** One run that cannot be read must not hide all others. */
async function look(context: Context, runId: string): Promise<Looked> {
  const record = readRecord(context.home, runId);
  if (record instanceof SuperOffloadError) return unreadable(runId, record);
  if (record !== null) return recorded(record);
  try {
    return await lookUnrecorded(context, runId);
  } catch (error) {
    if (error instanceof SuperOffloadError) return unreadable(runId, error);
    throw error;
  }
}

function unreadable(runId: string, { message: title }: SuperOffloadError): Looked {
  return {
    listing: {
      ...{ runId, state: 'unreadable', title },
      ...{ startedUtc: null, stepMs: null, modelTflopsPerGpu: null },
    },
    subject: null,
  };
}

function recorded(record: RunRecord): Looked {
  const listing = {
    runId: record.runId,
    state: runEndOf(record),
    title: record.title,
    startedUtc: record.startedUtc,
    stepMs: record.statistics?.medianMs ?? null,
    modelTflopsPerGpu: record.throughput.modelTflopsPerGpu,
  };
  return { listing, subject: record.case };
}

async function lookUnrecorded(context: Context, runId: string): Promise<Looked> {
  const { run, record } = await loadRun(context, runId);
  if (record !== null) return recorded(record);
  const listing = {
    runId,
    state: stateOf(run),
    title: [run.plan?.title ?? 'no plan', ...(isNeverStarted(run) ? [killedEarly] : [])].join('; '),
    startedUtc: null,
    stepMs: null,
    modelTflopsPerGpu: null,
  };
  return { listing, subject: run.plan?.case ?? null };
}

const killedEarly = 'its superoffload was killed before it started it';

function stateOf(run: StoredRun): RunState {
  const { elsewhere, watched, livePids, plan } = run;
  if (isNeverStarted(run)) return 'not_started';
  if (plan?.schedule !== undefined && !watched) return 'detached';
  if (elsewhere) return 'elsewhere';
  // From before the start until the record is written its tool is at work.
  if (watched) return 'running';
  return livePids.length === 0 ? 'unfinished' : 'orphaned';
}
