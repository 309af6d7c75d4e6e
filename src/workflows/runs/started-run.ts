import type { RunFolder } from '../../adapters/run-store.ts';
import type { SchedulerVerdict } from '../../core/logs/events.ts';

/** Why a run is ended before its own end. */
export type KillReason = 'interrupted' | 'cancelled' | 'timeout' | 'hang' | 'wrong_world';

/** How a run ended, as whoever started it saw it. */
export interface RunEnd {
  /** Exit status of the run's command (of the job, where a scheduler ran it); null where unknown. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** True where that is the status of the node or task that failed first, and others were ended because of it. */
  readonly failedFirst?: boolean;
  /** null where there is no scheduler, or where it has nothing to say that the ranks did not. */
  readonly scheduler: SchedulerVerdict | null;
  /** The kernel's OOM kills on all nodes of the run meanwhile; null where nobody counted. */
  readonly oomKills: number | null;
}

/**
 * A run that was started, wherever: on this machine, on hosts, by Slurm. The run loop (run-case.ts) follows its log
 * and asks this for the rest; the journal hears of all that is done to it.
 */
export interface StartedRun {
  readonly folder: RunFolder;
  /** Settles when nothing of it runs any more; never rejects. */
  readonly ended: Promise<RunEnd>;
  /** When its processes began, milliseconds since the epoch; null while a scheduler holds it back. No limit of time
   * counts before. */
  readonly startedMs: number | null;
  /** What it waits for in a scheduler's words (`pending: Priority`), null when it runs. */
  readonly waitingFor: string | null;
  /** Writes the journal's `started`. Separate from the start, so that whoever cannot write it can still stop the run. */
  readonly noteStart: () => void;
  /** Ends all of it, everywhere, by force after a grace. */
  readonly kill: (reason: KillReason) => Promise<void>;
  /** As {@link kill}, where the journal may not be writable. */
  readonly stop: () => Promise<void>;
  /** It has ended: whatever outlived it is stopped, on every host, and what cannot be is written down. */
  readonly leaveNothing: () => Promise<void>;
  /** Nobody follows it any more. */
  readonly release: () => void;
}
