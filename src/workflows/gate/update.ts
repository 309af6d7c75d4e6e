import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { readJson, writeJsonAtomic } from '../../adapters/files.ts';
import { isMeasured } from '../../core/results/summarize.ts';
import type { Baseline } from '../../core/gate/baseline.ts';
import { groupByKey } from '../../core/gate/gate.ts';
import { selectRuns } from '../../core/gate/select-runs.ts';
import { keyOf } from '../../core/gate/gate-case.ts';
import { sessionsOf } from '../../core/gate/sessions.ts';
import { planUpdate, type UpdateOptions, type UpdatePlan } from '../../core/gate/update.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { SuperOffloadError } from '../../errors.ts';
import { utcNow, type Context } from '../context.ts';
import { readRecords } from '../records/read-records.ts';
import { checkBaseline, knownModels } from './read-baseline.ts';

export interface UpdateRequest {
  /** The file to write. */
  readonly baseline: string;
  /** The runs that become references; none: of each case the newest session. */
  readonly from: readonly string[];
  readonly historyLimit: number;
  readonly options: UpdateOptions;
}

export interface PlannedUpdate {
  readonly plan: UpdatePlan;
  readonly path: string;
  readonly notes: readonly string[];
}

/**
 * Plans new references from stored runs. Writes nothing: {@link writeUpdate} does.
 * @throws SuperOffloadError 'usage' where no run can be a reference; 'config' with every fault of the file.
 */
export async function prepareUpdate(context: Context, request: UpdateRequest): Promise<PlannedUpdate> {
  const path = resolve(context.cwd, request.baseline);
  const before = await readBefore(context, path, request.baseline);
  const { records, notes } = await readRecords(context, request.from);
  const all = records.map(({ record }) => record);
  const { runs, history } = request.from.length > 0 ? await named(context, all) : newestOf(all, before);
  const limited = limitHistory(history, request.historyLimit);
  const plan = planUpdate(before, runs, limited, { ...request.options, utc: utcNow(context) });
  if (plan.changes.length === 0) {
    throw new SuperOffloadError({
      code: 'usage',
      message: `no run can be a reference: ${all.length} were looked at, and none ended well and says ${request.options.metrics.join(', ')}`,
      hint: 'measure first: superoffload throughput --repeat 3',
    });
  }
  return { plan, path, notes };
}

/** Writes the file, whole or not at all. */
export async function writeUpdate({ plan, path }: PlannedUpdate): Promise<void> {
  await writeJsonAtomic(path, plan.next);
}

async function readBefore(context: Context, path: string, name: string): Promise<Baseline | null> {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false) {
    throw new SuperOffloadError({
      code: 'usage',
      message: `--baseline ${name}: is a folder`,
      hint: 'name the file that the references go to, such as gate/baseline.json',
    });
  }
  const value = await readJson(path);
  return value === undefined ? null : checkBaseline(value, name, knownModels(context));
}

interface Split {
  readonly runs: readonly RunRecord[];
  readonly history: readonly RunRecord[];
}

/** What the user named are the references; all other runs of those cases say how much they vary. */
async function named(context: Context, runs: readonly RunRecord[]): Promise<Split> {
  const { records } = await readRecords(context, ['runs']);
  const taken = new Set(runs.map(({ runId }) => runId));
  return { runs, history: records.map(({ record }) => record).filter(({ runId }) => !taken.has(runId)) };
}

/** Of each case the newest session that measured something, and since the reference where there is one. */
function newestOf(all: readonly RunRecord[], before: Baseline | null): Split {
  const lastUtc = new Map(
    (before?.references ?? []).map((reference) => [keyOf(reference.case), reference] as const),
  );
  const split = [...groupByKey(all)].map(([key, group]): Split => {
    const measured = group.filter(isMeasured);
    const reference = lastUtc.get(key);
    if (reference === undefined) {
      const sessions = sessionsOf(measured);
      return { runs: sessions.at(-1) ?? [], history: sessions.slice(0, -1).flat() };
    }
    const pool = { named: null, stored: measured, historyLimit: measured.length, holdsPast: true };
    const { candidates, history } = selectRuns(reference, pool);
    return { runs: candidates, history };
  });
  const probes = all.filter((record) => record.experiment === 'model_size' && !isMeasured(record));
  return {
    runs: [...split.flatMap(({ runs }) => runs), ...probes],
    history: split.flatMap(({ history }) => history),
  };
}

function limitHistory(history: readonly RunRecord[], limit: number): RunRecord[] {
  return limit === 0 ? [] : [...groupByKey(history).values()].flatMap((group) => group.slice(-limit));
}
