import type { Cell } from './cell.ts';

/** What a campaign is, as it was begun or last accepted: `campaign.json`. What became of it is in its journal. */
export interface CampaignFile {
  readonly schemaVersion: 1;
  readonly name: string;
  /** Name of an experiment, or absolute path of its file. */
  readonly experiment: string;
  /** Hash of the experiment's content. */
  readonly experimentHash: string;
  readonly createdUtc: string;
  /** The flags that were given, by their long names in camel case. */
  readonly options: Readonly<Record<string, unknown>>;
  /** In the order of the experiment. */
  readonly cells: readonly Cell[];
  /** Added by the rule for the batch, as results came. */
  readonly variants: readonly Cell[];
}

const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Whether a campaign may be called so: it names a folder. */
export function isCampaignName(name: string): boolean {
  return namePattern.test(name);
}

export const campaignNameRule = 'letters, digits, dots, dashes and underlines, 64 at most';
