import { readCampaign, writeCampaign } from '../../adapters/campaign-store.ts';
import type { CampaignFile } from '../../core/campaign/campaign-file.ts';
import {
  campaignChanges,
  describeChanges,
  isUnchanged,
  type CampaignChanges,
} from '../../core/campaign/changes.ts';
import { SuperOffloadError } from '../../errors.ts';
import { utcNow, type Context } from '../context.ts';
import type { PlannedCampaign } from './plan-campaign.ts';
import type { CampaignRequest } from './request.ts';

/**
 * Writes down what the campaign is, or sees that it still is.
 * @throws SuperOffloadError 'usage' where it is not and nobody accepted that, with what changed.
 */
export async function keepDefinition(
  context: Context,
  request: CampaignRequest,
  { cells, experimentHash }: PlannedCampaign,
): Promise<CampaignFile> {
  const { name, experiment, options } = request;
  const stored = await readCampaign(context.home, name);
  if (stored !== undefined && request.resume) {
    const changes = campaignChanges(stored.cells, cells);
    if (!isUnchanged(changes)) acceptOrRefuse(context, request, changes);
  }
  const createdUtc = stored?.createdUtc ?? utcNow(context);
  const file: CampaignFile = {
    schemaVersion: 1,
    ...{ name, experiment, experimentHash, createdUtc, options, cells },
    variants: stored?.variants ?? [],
  };
  if (JSON.stringify(stored) !== JSON.stringify(file)) await writeCampaign(context.home, file);
  return file;
}

function acceptOrRefuse(
  { emit }: Context,
  { name, acceptChanges }: CampaignRequest,
  changes: CampaignChanges,
): void {
  const message = [`campaign ${name} is not what it was when it was stopped:`, ...describeChanges(changes)];
  if (acceptChanges) {
    emit({ type: 'warning', message: message.join('\n  ') });
    return;
  }
  throw new SuperOffloadError({
    code: 'usage',
    message: message.join('\n  '),
    hint:
      'to go on with the cases as they are now, keeping the results of those that are the same: add --accept-changes\n' +
      'to leave this campaign as it is: undo the change, or give the new one a --name',
  });
}
