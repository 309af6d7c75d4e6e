import { readCampaignJournal } from '../../adapters/campaign-store.ts';
import { passes } from '../../core/campaign/filter.ts';
import { orderCells } from '../../core/campaign/order.ts';
import { goodLaunches, statesOf, type LaunchRules } from '../../core/campaign/state.ts';
import type { Cell } from '../../core/campaign/cell.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { Context } from '../context.ts';
import { atOnceOf } from './at-once.ts';
import { foresightOf } from './foresight.ts';
import type { PlannedCampaign } from './plan-campaign.ts';
import { stateOf, type CellReport } from './report.ts';
import type { CampaignRequest, CampaignRules } from './request.ts';
import { earlierRuns } from './reuse.ts';

/** A cell as it would be run. */
export interface ListedCell {
  readonly cell: Cell;
  readonly plan: RunPlan;
  readonly state: CellReport['state'];
  /** Runs that were made before, outside of this campaign, and would be taken over. */
  readonly reused: readonly string[];
  /** Good launches that it still lacks, with those taken over. */
  readonly lacking: number;
  /** Of one launch, milliseconds; null where nothing is known. */
  readonly expectedMs: number | null;
}

/** What `campaign run` would run, in the order in which it would. Nothing is written or started. */
export async function listCells(
  context: Context,
  request: CampaignRequest,
  rules: CampaignRules,
  planned: PlannedCampaign,
): Promise<ListedCell[]> {
  const launchRules: LaunchRules = { ...request, retry: rules.retry };
  const earlier = await earlierRuns(context, planned.cells, planned.plans, request.repeat);
  const foresight = foresightOf(planned, earlier);
  const wanted = planned.cells.filter((cell) => passes(cell.case, rules.only));
  const ordered = orderCells(wanted, foresight.ofCell, atOnceOf(request, planned) > 1);
  const journal = readCampaignJournal(context.home, request.name);
  const expected = foresight.after(statesOf(planned.cells, journal));
  return statesOf(ordered, journal).flatMap((state) => {
    const { cell } = state;
    const plan = planned.plans.get(cell.key);
    if (plan === undefined) return [];
    const known = new Set(state.attempts.map(({ runId }) => runId));
    const found = request.reuse ? (earlier.get(cell.key) ?? []).map(({ runId }) => runId) : [];
    const reused = found.filter((runId) => !known.has(runId));
    return [
      {
        cell,
        plan,
        state: stateOf(state, launchRules),
        reused,
        lacking: Math.max(0, request.repeat - goodLaunches(state) - reused.length),
        expectedMs: expected.of(state),
      },
    ];
  });
}
