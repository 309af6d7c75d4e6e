import type { OutcomeClass } from '../logs/events.ts';
import type { RunRecord } from './record.ts';

/** How a run ended, as lists and reports call it. */
export type RunEnd = OutcomeClass | 'stopped_early';

/** A trial that a tuning stopped early ended well, and is no measurement: it has a word of its own beside `ok`. */
export function runEndOf({ outcome, abandoned }: Pick<RunRecord, 'outcome' | 'abandoned'>): RunEnd {
  return outcome.class === 'ok' && abandoned !== undefined ? 'stopped_early' : outcome.class;
}
