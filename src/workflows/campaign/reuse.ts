import { groupBy } from '../../core/collections/group-by.ts';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '../../adapters/campaign-store.ts';
import { listRunIds, runsFolder } from '../../adapters/run-store.ts';
import { readRecord } from '../../adapters/stored-runs.ts';
import { cellOf, type Cell } from '../../core/campaign/cell.ts';
import { standingOf } from '../../core/campaign/retry-policy.ts';
import { cellStanding, type LaunchRules } from '../../core/campaign/state.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { isComparable } from '../../core/results/comparable.ts';
import type { RunRecord } from '../../core/results/record.ts';
import { caseIdOfRun, runFiles } from '../../core/results/run-files.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { toolIdentity } from '../tool-identity.ts';
import type { CampaignSession } from './session.ts';

/** Earlier runs that measured what a cell is to measure, newest first, by the key of the cell. */
export type EarlierRuns = ReadonlyMap<string, readonly RunRecord[]>;

/**
 * Finds stored runs with an answer to cells, whoever started them. Only folders whose name has the case of a cell are
 * opened: among thousands of others that costs nothing.
 * @param mostOfCell newest runs of a cell to look for
 */
export async function earlierRuns(
  context: Pick<Context, 'home' | 'packageRoot'>,
  cells: readonly Cell[],
  plans: ReadonlyMap<string, RunPlan>,
  mostOfCell: number,
): Promise<EarlierRuns> {
  const byCase = groupBy(cells, ({ caseId }) => caseId);
  const found = new Map<string, RunRecord[]>();
  for (const runId of (await listRunIds(context.home)).reverse()) {
    const wanted = byCase
      .get(caseIdOfRun(runId))
      ?.filter(({ key }) => (found.get(key)?.length ?? 0) < mostOfCell);
    if (wanted === undefined || wanted.length === 0) continue;
    const run = readAnswer(context.home, runId);
    const cell = wanted.find(({ key }) => key === run?.key);
    const plan = cell === undefined ? undefined : plans.get(cell.key);
    if (run === null || cell === undefined || plan === undefined) continue;
    if (!isComparable(run.record, { ...plan, tool: await toolIdentity(context) })) continue;
    found.set(cell.key, [...(found.get(cell.key) ?? []), run.record]);
  }
  return found;
}

interface StoredAnswer {
  readonly key: string;
  readonly record: RunRecord;
}

/** @returns null for a run without an answer, and for one that cannot be read: it is no reason to stop anything. */
function readAnswer(home: string, runId: string): StoredAnswer | null {
  const record = readRecord(home, runId);
  if (record === null || record instanceof SuperOffloadError) return null;
  if (standingOf(record.outcome.class) !== 'answer' || record.abandoned !== undefined) return null;
  try {
    const text = readFileSync(join(runsFolder(home), runId, runFiles.plan), 'utf8');
    const plan = JSON.parse(text) as RunPlan;
    const cell = cellOf(plan, sha256);
    return cell === null ? null : { key: cell.key, record };
  } catch {
    return null;
  }
}

/** Takes over what was measured already, oldest first. */
export function adopt(
  { emit }: Context,
  session: CampaignSession,
  earlier: EarlierRuns,
  rules: LaunchRules,
): void {
  let adopted = 0;
  for (const { cell } of session.states) {
    for (const record of [...(earlier.get(cell.key) ?? [])].reverse()) {
      const state = session.stateOf(cell.key);
      const isKnown = state?.attempts.some(({ runId }) => runId === record.runId) ?? true;
      if (isKnown || state === undefined || cellStanding(state, rules) === 'settled') continue;
      session.adopted(cell, record);
      adopted += 1;
    }
  }
  if (adopted === 0) return;
  const [what, verb] = adopted === 1 ? ['run', 'was'] : ['runs', 'were'];
  emit({
    type: 'note',
    message:
      `${adopted} ${what} of the same case, stack and system ${verb} there already and ${verb} taken over ` +
      '(--no-reuse measures anew)',
  });
}
