import type { NodeLayout } from '../../core/launch/layout.ts';
import { launcherOf } from '../../core/campaign/cell.ts';
import type { SlurmSchedule } from '../../core/launch/schedule.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { limitSeconds } from '../../core/slurm/time-limit.ts';
import type { Context } from '../context.ts';
import { attachRun } from '../runs/attach.ts';
import { runCase } from '../runs/run-case.ts';
import {
  closeAllocation,
  isAllocationOpen,
  openAllocation,
  surroundingAllocation,
} from '../slurm/allocation.ts';
import type { PlannedCampaign } from './plan-campaign.ts';
import type { CampaignRequest } from './request.ts';
import type { CampaignSession } from './session.ts';
import type { CampaignStarter } from './starter.ts';

/** Before Slurm takes the nodes away: for the end of a run and its record. */
const marginMs = 60_000;

/**
 * Holds nodes for the largest run, and runs all of the campaign there, as many at once as there is room for. An
 * allocation that an earlier tool left is gone on with; one that this program was started in is used and kept.
 * @throws SuperOffloadError 'environment' where Slurm would never grant it.
 */
export async function openAllocationStarter(
  context: Context,
  request: CampaignRequest,
  planned: PlannedCampaign,
  session: CampaignSession,
): Promise<CampaignStarter> {
  const schedules = [...planned.plans.values()].map(slurmOf);
  const surrounding = surroundingAllocation(context.env);
  const held = await leftOver(context, session);
  const jobId = surrounding ?? held?.jobId ?? (await open(context, request, planned));
  if (surrounding === null && held === null) session.allocation(jobId);
  const room = Math.max(...schedules.map(({ layout }) => layout.nodes));
  const least = Math.min(...schedules.map(({ layout }) => layout.nodes));
  const atOnce = Math.min(request.maxJobs ?? room, Math.floor(room / least));
  const attached = new Set<Promise<unknown>>();
  return {
    start: async (own, plan, position, onFolder) => {
      // Steps of an earlier tool are on nodes that nobody here has given out.
      await Promise.allSettled(attached);
      return runCase(own, inside(plan, jobId), position, onFolder);
    },
    attach: (own, runId, position) => {
      const record = attachRun(own, runId, position);
      attached.add(record);
      return record;
    },
    ...{ maxJobs: atOnce, atOnce },
    untilMs: surrounding === null ? untilMs(Date.parse(session.lastAllocation?.utc ?? ''), schedules) : null,
    close: async () => {
      if (surrounding === null) await closeAllocation(context, { jobId });
    },
  };
}

async function leftOver(
  context: Context,
  { lastAllocation: held }: CampaignSession,
): Promise<CampaignSession['lastAllocation']> {
  return held !== null && (await isAllocationOpen(context, held.jobId)) ? held : null;
}

async function open(context: Context, request: CampaignRequest, planned: PlannedCampaign): Promise<string> {
  const plans = [...planned.plans.values()];
  const [largest] = plans.sort((a, b) => slurmOf(b).layout.nodes - slurmOf(a).layout.nodes);
  if (largest === undefined) throw new Error('a campaign without a run needs no allocation');
  const layouts = plans.map((plan) => slurmOf(plan).layout);
  const layout: NodeLayout = {
    nodes: slurmOf(largest).layout.nodes,
    ranksPerNode: Math.max(...layouts.map(({ ranksPerNode }) => ranksPerNode)),
  };
  const { jobId } = await openAllocation(context, {
    system: planned.planning.system,
    layout,
    flags: request.scheduling,
    launcher: launcherOf(largest),
    exclusiveHost: request.scheduling.exclusiveHost ?? false,
    name: `superoffload-${request.name}`,
  });
  return jobId;
}

/** Where --time says how long it is held, runs that would not end in it are not begun. */
function untilMs(sinceMs: number, [first]: readonly SlurmSchedule[]): number | null {
  const limit = limitSeconds(first?.options['time'] ?? '0') ?? null;
  return limit === null ? null : sinceMs + limit * 1_000 - marginMs;
}

function inside(plan: RunPlan, allocation: string): RunPlan {
  return { ...plan, schedule: { ...slurmOf(plan), allocation } };
}

function slurmOf({ schedule }: RunPlan): SlurmSchedule {
  if (schedule?.scheduler !== 'slurm') throw new Error('a plan without a Slurm schedule');
  return schedule;
}
