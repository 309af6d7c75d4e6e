import { SuperOffloadError } from '../../errors.ts';
import { edgeOf, runGiven, searchFrontiers, type FrontierPlan } from '../../workflows/frontier/frontier.ts';
import { givenExitCode, reportProbe, reportRow, searchExitCode } from '../../workflows/frontier/report.ts';
import { firstCandidate } from '../../workflows/frontier/run-search.ts';
import type { CommandIo } from '../commands/module.ts';
import { frontierDryRun, givenTable, searchTable, type FrontierColumns } from '../text/frontier.ts';
import { otherSystemHint } from '../text/plan-table.ts';

interface FrontierShow {
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly columns: FrontierColumns;
}

/** Runs a planned search, or the sizes and lengths that were given, and shows what came of it. */
export async function showFrontier(io: CommandIo, plan: FrontierPlan, show: FrontierShow): Promise<void> {
  if (show.dryRun) {
    io.print(show.json ? JSON.stringify(dryRunJson(plan), null, 2) : frontierDryRun(plan, show.columns));
    return;
  }
  for (const message of plan.notes) io.context.emit({ type: 'note', message });
  if (plan.searches.length === 0) throw nothingToRun(plan);
  await (plan.isGiven ? showGiven : showSearch)(io, plan, show);
}

async function showSearch(io: CommandIo, plan: FrontierPlan, { json, columns }: FrontierShow): Promise<void> {
  const rows = await searchFrontiers(io.context, plan);
  const reports = rows.map((row) => reportRow(plan, row));
  io.print(json ? resultJson(plan, { rows: reports }) : searchTable(plan, reports, columns));
  io.exitWith(searchExitCode(plan, rows));
}

async function showGiven(io: CommandIo, plan: FrontierPlan, { json, columns }: FrontierShow): Promise<void> {
  const probes = await runGiven(io.context, plan);
  const points = probes.map((probe) => ({ mode: probe.subject.mode, ...reportProbe(plan, probe) }));
  io.print(json ? resultJson(plan, { runs: points }) : givenTable(plan, points, columns));
  io.exitWith(givenExitCode(plan, probes));
}

function resultJson(plan: FrontierPlan, result: object): string {
  const { planning, skipped, notes } = plan;
  const [first] = plan.searches[0]?.cases ?? [];
  const head = {
    schemaVersion: 1,
    experiment: first?.experiment ?? null,
    system: planning.system.name,
    chips: first?.chips ?? null,
  };
  return JSON.stringify({ ...head, ...result, skipped, notes }, null, 2);
}

function dryRunJson(plan: FrontierPlan): object {
  const { planning, skipped, notes } = plan;
  return {
    schemaVersion: 1,
    system: planning.system.name,
    searches: plan.searches.map(({ mode, cases }) => ({
      mode,
      ...startOf(plan, cases),
      candidates: cases.map((subject) => {
        const { memory, capacity, fits, wall } = plan.predict(subject);
        const { gpuGiB, hostGiB } = memory;
        return { name: plan.nameOf(subject), case: subject, gpuGiB, hostGiB, capacity, fits, wall };
      }),
    })),
    skipped,
    notes,
  };
}

/** Names of the largest that is predicted to fit and of the first launch; null where there is none. */
function startOf(plan: FrontierPlan, cases: FrontierPlan['searches'][number]['cases']): object {
  const edge = edgeOf(plan, cases);
  const name = (subject: (typeof cases)[number] | null | undefined): string | null =>
    subject === null || subject === undefined ? null : plan.nameOf(subject);
  const first = plan.isGiven ? cases[0] : firstCandidate({ cases, ...edge });
  return { predicted: name(cases[edge.predicted]), first: name(first) };
}

function nothingToRun({ skipped }: FrontierPlan): SuperOffloadError {
  const reasons = skipped.map(({ case: { mode }, reason }) => `${mode}: ${reason}`);
  return new SuperOffloadError({
    code: 'environment',
    message: ['nothing can run here', ...reasons].join('\n'),
    hint: otherSystemHint,
  });
}
