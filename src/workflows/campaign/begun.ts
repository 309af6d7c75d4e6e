import { readCampaignJournal } from '../../adapters/campaign-store.ts';
import { runsFolder } from '../../adapters/run-store.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { CampaignOrigin } from './request.ts';
import { campaignStatus, type CampaignStatus } from './status.ts';

/**
 * Refuses to begin a campaign whose name one has that was begun: a complete one is told where its results are.
 * @throws SuperOffloadError 'usage' for one that is there.
 */
export async function refuseBegun(context: Context, { name, stored }: CampaignOrigin): Promise<void> {
  if (stored === null || !hasBegun(context, name)) return;
  const status = await campaignStatus(context, name);
  const hints = status.state === 'complete' ? completeHints(context, name) : openHints(name);
  throw new SuperOffloadError({
    code: 'usage',
    message: `${standing(status)}; it was begun ${stored.createdUtc}`,
    hint: [...hints, 'to begin another one, which takes over what has a result: add --name NAME'].join('\n'),
  });
}

/** One that was only written down, since its runs could not be started, is begun like a new one. */
function hasBegun({ home }: Context, name: string): boolean {
  return readCampaignJournal(home, name).some(({ type }) => type === 'attempt' || type === 'result');
}

function standing({ name, state, counts, driverPid }: CampaignStatus): string {
  const { withResult, total, failed } = counts;
  const results = `${withResult} of ${total} cases have a result${failed === 0 ? '' : `, ${failed} of them failed`}`;
  if (state === 'complete') return `campaign ${name} is complete: ${results}`;
  if (state === 'driven') {
    return `campaign ${name} is driven by another superoffload${driverPid === null ? '' : ` (pid ${driverPid})`}`;
  }
  return `there is a campaign ${name}, which was stopped: ${results}`;
}

function completeHints({ home }: Context, name: string): string[] {
  return [
    `its results: superoffload campaign status ${name}; as pages: superoffload report --from ${name}`,
    `its runs are in ${runsFolder(home)}`,
    `to add to them: superoffload campaign run ${name} --resume --repeat R, or --retry failed for what failed`,
  ];
}

function openHints(name: string): string[] {
  return [
    `to go on with it: superoffload campaign run ${name} --resume`,
    `how far it is: superoffload campaign status ${name}`,
  ];
}
