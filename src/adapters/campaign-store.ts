import { refuseNewer } from '../core/json/schema-version.ts';
import { createHash } from 'node:crypto';
import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CampaignFile } from '../core/campaign/campaign-file.ts';
import type { Hash } from '../core/campaign/cell.ts';
import { parseJournal, type CampaignEvent } from '../core/campaign/journal.ts';
import { SuperOffloadError } from '../errors.ts';
import { readJson, withFileErrors, writeJsonAtomic } from './files.ts';
import { openJournalFile, readJournalFile } from './journal-file.ts';
import { mutexHolder, tryMutex, type Mutex } from './stack/mutex.ts';

/** The newest `campaign.json` that this version reads and writes. */
const knownVersion = 1;

/** sha256, hexadecimal. */
export const sha256: Hash = (text) => createHash('sha256').update(text).digest('hex');

export function campaignPaths(home: string, name: string) {
  const folder = join(home, 'campaigns', name);
  return {
    folder,
    file: join(folder, 'campaign.json'),
    journal: join(folder, 'journal.ndjson'),
    /** Its presence asks the tool that drives it to begin no other run. */
    cancel: join(folder, 'cancel'),
    /** mkdir of this folder is the right to drive the campaign. */
    mutex: join(folder, 'driven.lock'),
  } as const;
}

/**
 * @returns undefined where there is no campaign of that name.
 * @throws SuperOffloadError 'config' when a newer version of the tool wrote it, or when it is damaged.
 */
export async function readCampaign(home: string, name: string): Promise<CampaignFile | undefined> {
  const { file } = campaignPaths(home, name);
  const value = await readJson(file);
  if (value === undefined) return undefined;
  const { schemaVersion, cells } = (value ?? {}) as Partial<Record<keyof CampaignFile, unknown>>;
  refuseNewer(file, schemaVersion, knownVersion);
  if (schemaVersion !== knownVersion || !Array.isArray(cells)) {
    throw new SuperOffloadError({
      code: 'config',
      message: `${file}: not a campaign that superoffload wrote`,
      hint: 'its runs are all kept: begin it again with another --name, and what has a result is taken over',
    });
  }
  return value as CampaignFile;
}

export async function writeCampaign(home: string, campaign: CampaignFile): Promise<void> {
  await writeJsonAtomic(campaignPaths(home, campaign.name).file, campaign);
}

/** @returns the names of all campaigns, in order. */
export async function listCampaigns(home: string): Promise<string[]> {
  const entries = await readdir(join(home, 'campaigns'), { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

/** @returns the events of a campaign, oldest first; none where it has no journal. */
export function readCampaignJournal(home: string, name: string): CampaignEvent[] {
  return parseJournal(readJournalFile(campaignPaths(home, name).journal));
}

/** When anything last happened in a campaign, milliseconds since the epoch; null where nothing did. */
export async function lastActiveMs(home: string, name: string): Promise<number | null> {
  const found = await stat(campaignPaths(home, name).journal).catch(() => null);
  return found?.mtimeMs ?? null;
}

/** The journal of a campaign, open for writing. */
export interface CampaignJournal {
  /** Oldest first, with those that were appended. */
  readonly events: readonly CampaignEvent[];
  /**
   * Appends one event; it is on the disk when this returns.
   * @throws SuperOffloadError 'environment' on a full disk.
   */
  readonly append: (event: CampaignEvent) => void;
  readonly close: () => void;
}

/** @throws SuperOffloadError 'environment' where it cannot be written. */
export async function openCampaignJournal(home: string, name: string): Promise<CampaignJournal> {
  const file = await openJournalFile(campaignPaths(home, name).journal);
  const events = parseJournal(file.text);
  return {
    events,
    append: (event) => {
      file.append(event);
      events.push(event);
    },
    close: file.close,
  };
}

/**
 * Takes the right to drive a campaign; that of a dead tool is taken over.
 * @throws SuperOffloadError 'usage' where a living tool has it.
 */
export async function lockCampaign(home: string, name: string): Promise<Mutex> {
  const mutex = await tryMutex(campaignPaths(home, name).mutex);
  if (!('heldBy' in mutex)) return mutex;
  throw new SuperOffloadError({
    code: 'usage',
    message: `campaign ${name} is driven by another superoffload${mutex.heldBy === 0 ? '' : ` (pid ${mutex.heldBy})`}`,
    hint: `see: superoffload campaign status ${name}`,
  });
}

/** Asks the tool that drives a campaign to begin no other run. */
export async function requestCampaignCancel(home: string, name: string): Promise<void> {
  const { cancel } = campaignPaths(home, name);
  await withFileErrors(cancel, () => writeFile(cancel, ''));
}

/** @returns the pid of the tool that drives a campaign (0 where it has not said yet), undefined when none does. */
export function campaignDriver(home: string, name: string): number | undefined {
  return mutexHolder(campaignPaths(home, name).mutex);
}
