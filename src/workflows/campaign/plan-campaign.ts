import { sha256 } from '../../adapters/campaign-store.ts';
import { readExperiment } from '../../adapters/experiment-data.ts';
import { cellOf, distinctCells, type Cell } from '../../core/campaign/cell.ts';
import { filterFaults, passes, type CaseFilter } from '../../core/campaign/filter.ts';
import { canonicalJson } from '../../core/experiment/case-id.ts';
import type { Case, System } from '../../core/experiment/case.ts';
import { expandExperiment, type Grid } from '../../core/experiment/grid.ts';
import { followsBatchRule } from '../../core/experiment/grid-batch.ts';
import type { GridFlags } from '../../core/experiment/grid-flags.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { withoutOverlay } from '../plan/overlay.ts';
import { openPlanning, type Planning } from '../plan/planning.ts';
import { readSetting, type Setting } from '../plan/request.ts';
import type { CampaignRequest, CampaignRules } from './request.ts';

/** A case that the campaign leaves out, and why. */
export interface LeftOut {
  readonly case: Case;
  readonly reason: string;
  /** Its mode was asked for by name, and this machine cannot run it. */
  readonly askedFor: boolean;
}

/** What the request for a campaign comes to on this machine. */
export interface PlannedCampaign {
  readonly planning: Planning;
  readonly experimentHash: string;
  /** In the order of the experiment. */
  readonly cells: readonly Cell[];
  readonly plans: ReadonlyMap<string, RunPlan>;
  /** The paper's rule may put other batches in the place of what runs out of memory. */
  readonly followsBatchRule: boolean;
  readonly leftOut: readonly LeftOut[];
  readonly notes: readonly string[];
}

/** The cases of an experiment, as a request's flags make them, before anything is known of stacks and hosts. */
interface CampaignCases {
  readonly setting: Setting;
  readonly experiment: ReturnType<typeof readExperiment>;
  readonly grid: Grid;
}

/**
 * Expands an experiment, and holds the filters to what it has.
 * @throws SuperOffloadError 'usage' or 'config' with every fault.
 */
export async function readCampaignCases(
  context: Context,
  request: CampaignRequest,
  { filter, only }: Pick<CampaignRules, 'filter' | 'only'>,
): Promise<CampaignCases> {
  const setting = await readSetting(context, request);
  const experiment = readExperiment(request.experiment, setting.folders);
  const { models, machine, user } = setting;
  const grid = expandExperiment(experiment, models, machine.system, user.flags);
  const all = [...grid.cases, ...grid.skipped.map((skipped) => skipped.case)];
  const faults = [
    ...user.faults,
    ...grid.faults,
    ...(grid.faults.length > 0 ? [] : filterFaults(filter, all)),
  ];
  // Of a campaign that goes on the filter chooses among its cases.
  const ofCampaign = all.filter((subject) => passes(subject, filter));
  if (faults.length === 0) faults.push(...filterFaults(only, ofCampaign));
  if (faults.length > 0) throw faultsError('usage', faults, 'nothing was started');
  return { setting, experiment, grid };
}

/**
 * Makes cells and plans of the cases of an experiment. Reads, decides, and starts nothing.
 * @param known from {@link readCampaignCases}; read here where they are left out
 * @throws SuperOffloadError 'usage' or 'config' with every fault; 'environment' where this machine can run none of it.
 */
export async function planCampaign(
  context: Context,
  request: CampaignRequest,
  rules: Pick<CampaignRules, 'filter' | 'only'>,
  known?: CampaignCases,
): Promise<PlannedCampaign> {
  const { filter } = rules;
  const { setting, experiment, grid } = known ?? (await readCampaignCases(context, request, rules));
  const { machine, user } = setting;
  const planning = await openPlanning(context, request, setting);
  const { cases, skipped } = chosen(grid, user.flags, filter, planning);
  const planned = planByChips(planning, cases, isAskedFor(request, filter));
  const cells = planned.plans.map((plan) => [cellOf(plan, sha256), plan] as const);
  return {
    planning,
    experimentHash: sha256(canonicalJson(experiment)),
    cells: distinctCells(cells.flatMap(([cell]) => cell ?? [])),
    plans: new Map(cells.flatMap(([cell, plan]) => (cell === null ? [] : [[cell.key, plan] as const]))),
    followsBatchRule: followsBatchRule(experiment[machine.system.accelerator], user.flags),
    leftOut: [
      ...skipped.map(({ case: subject, reason, askedFor, kind }) => {
        const isNamed = askedFor || (kind === 'needs-cuda' && filter.has('mode'));
        return { case: subject, reason, askedFor: isNamed };
      }),
      ...planned.leftOut,
    ],
    notes: [...new Set([...partNotes(request, machine.system), ...planning.notes, ...planned.notes])],
  };
}

/** Whoever only looks at a file made for GPUs wonders where its sizes are. */
function partNotes({ dryRun }: CampaignRequest, { accelerator, name }: System): string[] {
  if (!dryRun || accelerator !== 'cpu') return [];
  return [
    `system ${name} has no GPU: these are the cases of the file's "cpu" part; those of its "cuda" part: add ` +
      '--system h200, or another of: superoffload systems list',
  ];
}

/** What of a grid passes the filter; a mode that the filter names is asked for as by a flag. */
function chosen(grid: Grid, flags: GridFlags, filter: CaseFilter, { overlay }: Planning): Grid {
  const asked = filter.has('mode') ? { ...flags, modes: [] } : flags;
  const { cases, skipped, faults } = withoutOverlay(grid, asked, overlay);
  return {
    cases: cases.filter((subject) => passes(subject, filter)),
    skipped: skipped.filter((each) => passes(each.case, filter)),
    faults,
  };
}

interface PlannedGroups {
  readonly plans: readonly RunPlan[];
  readonly leftOut: readonly LeftOut[];
  readonly notes: readonly string[];
}

/** Whether the user named the numbers of chips: one that cannot be had here is then an error. */
function isAskedFor({ flags }: CampaignRequest, filter: CaseFilter): boolean {
  return flags.chips !== undefined || filter.has('chips');
}

/** An experiment on 1, 4 and 16 chips runs on a machine of four as far as it goes. */
function planByChips(planning: Planning, cases: readonly Case[], isNamed: boolean): PlannedGroups {
  const plans: RunPlan[] = [];
  const leftOut: LeftOut[] = [];
  const notes: string[] = [];
  let refused: SuperOffloadError | undefined;
  for (const group of byChips(cases)) {
    try {
      const planned = planning.planCases(group);
      plans.push(...planned.plans);
      notes.push(...planned.notes);
    } catch (error) {
      if (isNamed || !(error instanceof SuperOffloadError) || error.code === 'config') throw error;
      refused ??= error;
      leftOut.push(...group.map((subject) => ({ case: subject, reason: error.message, askedFor: false })));
    }
  }
  if (plans.length === 0 && refused !== undefined) throw refused;
  return { plans, leftOut, notes };
}

function byChips(cases: readonly Case[]): Case[][] {
  const groups = new Map<number, Case[]>();
  for (const subject of cases) {
    const group = groups.get(subject.chips);
    if (group === undefined) groups.set(subject.chips, [subject]);
    else group.push(subject);
  }
  return [...groups.values()];
}
