import { campaignExitCode } from '../../core/results/exit-code.ts';
import { describePlan } from '../../core/plan/describe.ts';
import { SuperOffloadError } from '../../errors.ts';
import { refuseBegun } from '../../workflows/campaign/begun.ts';
import { listCells } from '../../workflows/campaign/list-cells.ts';
import {
  planCampaign,
  readCampaignCases,
  type LeftOut,
  type PlannedCampaign,
} from '../../workflows/campaign/plan-campaign.ts';
import { findOrigin, readRules, type CampaignRequest } from '../../workflows/campaign/request.ts';
import { campaignJobs } from '../text/campaign-jobs.ts';
import { campaignRequest, type GivenOptions } from '../flags/campaign-options.ts';
import { cellsTable, firstLines, leftOutLines, resultText } from '../text/campaign.ts';
import type { CommandIo } from '../commands/module.ts';

/** Plans a campaign, runs it or says what it would run, and shows what became of it: all of `campaign run`. */
export async function showCampaign(io: CommandIo, experiment: string, asked: GivenOptions): Promise<void> {
  const { context } = io;
  const { options } = asked;
  const isLook = options.list === true || options.dryRun === true;
  const { name = null, resume = false } = options;
  const origin = await findOrigin(context, experiment, { name, resume });
  const request = campaignRequest(asked, origin);
  const rules = readRules(request);
  // A filter that is misspelt is told of even where the campaign is there: it is the nearer fault.
  const cases = await readCampaignCases(context, request, rules);
  if (!resume && !isLook) await refuseBegun(context, origin);
  const planned = await planCampaign(context, request, rules, cases);
  if (isLook) {
    const cells = await listCells(context, request, rules, planned);
    if (options.json === true) io.print(JSON.stringify(lookJson(request, planned, cells, options), null, 2));
    else io.print(lookText(request, planned, cells, options));
    // As the run itself would end.
    if (planned.cells.length === 0) throw nothingToRun([]);
    return;
  }
  for (const message of [...firstLines(planned.notes), ...leftOutLines(planned.leftOut)])
    context.emit({ type: 'note', message });
  if (planned.cells.length === 0) throw nothingToRun(planned.leftOut);
  // What follows runs is not loaded for a list.
  const { runCampaign } = await import('../../workflows/campaign/run-campaign.ts');
  const result = await runCampaign(context, request, rules, planned);
  io.print(
    options.json === true
      ? JSON.stringify({ ...result, leftOut: planned.leftOut }, null, 2)
      : resultText(result, planned.planning.system),
  );
  const unsupportedAskedFor = planned.leftOut.some(({ askedFor }) => askedFor);
  io.exitWith(campaignExitCode(result.cells, { unsupportedAskedFor }));
}

type Listed = Awaited<ReturnType<typeof listCells>>;
type Look = GivenOptions['options'];

function lookText(
  request: CampaignRequest,
  planned: PlannedCampaign,
  cells: Listed,
  { dryRun, list }: Look,
): string {
  const plans = dryRun === true && list !== true ? cells.map(({ plan }) => plan) : [];
  const blocks = [
    firstLines(planned.notes).join('\n'),
    cellsTable(cells),
    leftOutLines(planned.leftOut).join('\n'),
    ...campaignJobs(plans, request),
    ...plans.map(describePlan),
  ];
  return blocks.filter((block) => block !== '').join('\n\n');
}

function lookJson(
  { name, experiment }: CampaignRequest,
  { notes, leftOut }: PlannedCampaign,
  cells: Listed,
  { list }: Look,
) {
  // The plans are what --dry-run is for; a list of thousands of cells is long without them.
  const shown =
    list === true
      ? cells.map(({ cell, state, reused, expectedMs }) => ({ cell, state, reused, expectedMs }))
      : cells;
  return { name, experiment, cells: shown, leftOut, notes };
}

function nothingToRun(leftOut: readonly LeftOut[]): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: ['nothing of the campaign can run here', ...leftOutLines(leftOut)].join('\n'),
    hint: 'choose another --system, or see `superoffload campaign run ... --list` for what there is',
  });
}
