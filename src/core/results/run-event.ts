import type { SchedulerVerdict } from '../logs/events.ts';

/** Where a pid means something. */
export interface Place {
  /** The kernel's id of this boot. */
  readonly boot: string;
  readonly pidNamespace: string;
  /** The same over restarts of one machine, and of no use to anybody else; null where the machine has no id. */
  readonly machine: string | null;
}

/** The journal of a run folder, one JSON line an event: what the tool did, and when (UTC, ISO 8601). */
export type RunEvent =
  /** Written before anything is started: from here on the run belongs to this tool. */
  | {
      readonly type: 'starting';
      readonly utc: string;
      readonly toolPid: number;
      readonly toolStartTicks: string | null;
      readonly place: Place;
    }
  | {
      readonly type: 'started';
      readonly utc: string;
      /** Leader of the run's process group, with its start time in clock ticks since boot. */
      readonly pid: number;
      readonly startTicks: string | null;
      readonly toolPid: number;
      readonly toolStartTicks: string | null;
    }
  /** Another tool took over after the first was gone. */
  | {
      readonly type: 'attached';
      readonly utc: string;
      readonly toolPid: number;
      readonly toolStartTicks: string | null;
      readonly place: Place;
    }
  /** Written before a job is given to Slurm: a tool that is killed here may have left one, named after the run. */
  | {
      readonly type: 'submitting';
      readonly utc: string;
      readonly jobName: string;
      /** Its place in a job array; absent for a job of its own. */
      readonly task?: number;
    }
  | {
      readonly type: 'submitted';
      readonly utc: string;
      /** `12`, or `12_3` for a task of an array. */
      readonly jobId: string;
      readonly cluster: string | null;
    }
  /** A job's state as the scheduler told it, whenever it changed. */
  | {
      readonly type: 'job-state';
      readonly utc: string;
      readonly state: string;
      readonly reason: string | null;
    }
  /** The scheduler put the job back into its queue, so often by now; it begins anew. */
  | { readonly type: 'requeued'; readonly utc: string; readonly restarts: number }
  /** The scheduler's last word; `exited` follows. */
  | { readonly type: 'job-ended'; readonly utc: string; readonly verdict: SchedulerVerdict | null }
  | { readonly type: 'stop-requested'; readonly utc: string; readonly reason: 'converged' | 'abandoned' }
  | {
      readonly type: 'killed';
      readonly utc: string;
      readonly reason: 'interrupted' | 'cancelled' | 'timeout' | 'hang' | 'wrong_world';
    }
  | {
      readonly type: 'left-behind';
      readonly utc: string;
      readonly pids: readonly number[];
      /** Absent: this machine. */
      readonly host?: string;
      /** The run's port, where somebody still listens there. */
      readonly port?: number;
      /** Processes on the GPUs that the run had. */
      readonly gpuPids?: readonly number[];
      /** Why nobody could look. */
      readonly problem?: string;
    }
  | {
      readonly type: 'exited';
      readonly utc: string;
      readonly exitCode: number | null;
      readonly signal: string | null;
    };

/** Reads a journal; a last line cut by a crash is dropped. */
export function parseEvents(text: string): RunEvent[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as RunEvent];
    } catch {
      return [];
    }
  });
}
