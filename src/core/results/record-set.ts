import type { RunRecord } from './record.ts';

/** A stored result and where it was found. */
export interface FoundRecord {
  readonly record: RunRecord;
  /** What the user named: `runs`, a run's id, a tag, a campaign, a file, an archive. */
  readonly source: string;
  /** The run's folder, absolute; null where only the record is there (a file, an archive). */
  readonly folder: string | null;
}

/** Results from any number of sources, each run once, oldest first. */
export interface RecordSet {
  readonly records: readonly FoundRecord[];
  /** What could not be used and why, for people: `run X has no record yet`. Never silent. */
  readonly notes: readonly string[];
}
