import { outcomeClasses } from '../logs/events.ts';
import type { RunEnd } from './run-end.ts';

/**
 * How a run stands: how it ended, or `running`, `orphaned` (its tool is gone), `detached` (its tool is gone; only its
 * scheduler or its hosts know more: `runs watch`), `elsewhere` (started on another machine or in another container, no
 * record yet), `not_started` (its tool was killed before), `unfinished` (no record could be made), `unreadable`
 * (damaged, or of a newer version).
 */
export type RunState = RunEnd | (typeof withoutRecord)[number];

const withoutRecord = [
  'running',
  'orphaned',
  'detached',
  'elsewhere',
  'not_started',
  'unfinished',
  'unreadable',
] as const;

export const runStates: readonly RunState[] = [...outcomeClasses, 'stopped_early', ...withoutRecord];
