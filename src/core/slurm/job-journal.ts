/** `job.ndjson`: what a job's script says of itself, as it happens (core/slurm/job-script.ts writes it). */

export type JobEvent = {
  readonly utc: string;
  readonly job: string;
  /** How often Slurm had put the job back into the queue. */
  readonly restart: number;
} & (
  | { readonly event: 'start'; readonly host: string; readonly nodes: string; readonly port: number }
  | { readonly event: 'signal'; readonly signal: 'USR1' | 'TERM' }
  | { readonly event: 'end'; readonly exitCode: number }
  /** Processes of the run that no signal ended. */
  | { readonly event: 'left'; readonly host: string; readonly pids: readonly number[] }
);

/** The newest life of a job, as far as it was written. */
export interface JobJournal {
  readonly jobId: string | null;
  readonly restart: number;
  /** null while it did not begin. */
  readonly startUtc: string | null;
  /** First of its nodes, and all of them in Slurm's short form. */
  readonly host: string | null;
  readonly nodes: string;
  /** The time limit came near, and the training was asked to end. */
  readonly limitCame: boolean;
  /** Somebody ended it: Slurm or a person. */
  readonly terminated: boolean;
  readonly endUtc: string | null;
  readonly exitCode: number | null;
  readonly left: readonly { readonly host: string; readonly pids: readonly number[] }[];
}

const nothing: JobJournal = {
  jobId: null,
  restart: 0,
  startUtc: null,
  host: null,
  nodes: '',
  limitCame: false,
  terminated: false,
  endUtc: null,
  exitCode: null,
  left: [],
};

/** Reads the journal of a job; a last line cut by a kill is dropped, and so is anything that is no line of it. */
export function parseJobJournal(text: string): JobJournal {
  return text.split('\n').flatMap(readEvent).reduce(addEvent, nothing);
}

function readEvent(line: string): JobEvent[] {
  try {
    const event: unknown = line === '' ? null : JSON.parse(line);
    return typeof event === 'object' && event !== null && 'event' in event ? [event as JobEvent] : [];
  } catch {
    return [];
  }
}

function addEvent(journal: JobJournal, event: JobEvent): JobJournal {
  switch (event.event) {
    case 'start':
      return {
        ...nothing,
        jobId: event.job,
        restart: event.restart,
        startUtc: event.utc,
        host: event.host,
        nodes: event.nodes,
      };
    case 'signal':
      return event.signal === 'USR1' ? { ...journal, limitCame: true } : { ...journal, terminated: true };
    case 'end':
      return { ...journal, endUtc: event.utc, exitCode: event.exitCode };
    case 'left':
      return { ...journal, left: [...journal.left, { host: event.host, pids: event.pids }] };
  }
}
