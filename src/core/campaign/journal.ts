import type { OutcomeClass } from '../logs/events.ts';

/**
 * The journal of a campaign, one JSON line an event, in the order in which things happened. An `attempt` is on the
 * disk before its run is started, a `result` after the record of the run is: whoever reads the journal knows of every
 * run that may exist, and takes none for finished that is not.
 */
export type CampaignEvent =
  /** A tool began or went on to drive the campaign. */
  | { readonly type: 'session'; readonly utc: string; readonly toolPid: number; readonly cells: number }
  | { readonly type: 'attempt'; readonly utc: string; readonly key: string; readonly runId: string }
  | (Ending & { readonly type: 'result' })
  /** A run of another campaign, or of none, measured the same. */
  | (Ending & { readonly type: 'adopted' })
  /** An attempt of which no run was ever started. */
  | { readonly type: 'void'; readonly utc: string; readonly key: string; readonly runId: string }
  /** An allocation of the scheduler that runs of this campaign take place in. */
  | { readonly type: 'allocation'; readonly utc: string; readonly jobId: string };

interface Ending {
  readonly utc: string;
  readonly key: string;
  readonly runId: string;
  readonly outcome: OutcomeClass;
  /** Wall time of the run; null where nobody saw its end. */
  readonly durationMs: number | null;
}

const types: ReadonlySet<string> = new Set<CampaignEvent['type']>([
  'session',
  'attempt',
  'result',
  'adopted',
  'void',
  'allocation',
]);

/**
 * Reads a journal. The last line is dropped where a crash has cut it; a line in the middle that cannot be read is one
 * that was cut and continued by the next session, and counts for nothing either.
 */
export function parseJournal(text: string): CampaignEvent[] {
  return text.split('\n').flatMap((line) => {
    try {
      const event = JSON.parse(line) as CampaignEvent;
      return types.has(event.type) ? [event] : [];
    } catch {
      return [];
    }
  });
}
