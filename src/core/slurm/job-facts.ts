/** What one of Slurm's tools says of one job. */
export interface JobFacts {
  /** `12`, or `12_3` for a task of an array. */
  readonly jobId: string;
  readonly name: string;
  /** The first word in capitals: `CANCELLED by 0` is CANCELLED. */
  readonly state: string;
  /** Who cancelled it, where sacct says so. */
  readonly cancelledBy: string | null;
  readonly reason: string | null;
  /** Exit status and signal of the job's script; null where the tool does not say. */
  readonly exit: JobExit | null;
  /** Slurm's short form; '' while it has none. */
  readonly nodes: string;
  /** How often it was put back into the queue; null where the tool does not say. */
  readonly restarts: number | null;
}

export interface JobExit {
  readonly status: number;
  readonly signal: number;
}

/** `143:0`: exit status, signal. */
export function parseExit(text: string): JobExit | null {
  const match = /^(\d+):(\d+)$/.exec(text.trim());
  return match === null ? null : { status: Number(match[1]), signal: Number(match[2]) };
}

/** The raw status of wait(2): 1792 is exit status 7, 9 is SIGKILL. */
export function exitOfWaitStatus(status: number): JobExit {
  const signal = status & 0x7f;
  return { status: signal === 0 ? (status >> 8) & 0xff : 0, signal };
}

/** `CANCELLED by 1000`, `CANCELLED+`, `RUNNING`: the word, and who cancelled. */
export function parseState(text: string): Pick<JobFacts, 'state' | 'cancelledBy'> {
  const [word = '', by, who] = text.trim().split(/\s+/);
  return { state: word.replace(/\+$/, '').toUpperCase(), cancelledBy: by === 'by' ? (who ?? null) : null };
}

/** Slurm's many words for nothing. */
export function wordOrNull(text: string): string | null {
  const trimmed = text.trim();
  return ['', 'None', '(null)', 'N/A', 'Unknown', 'None assigned'].includes(trimmed) ? null : trimmed;
}

/** The job that a task of an array belongs to; any other job is its own. */
export function wholeJob(jobId: string): string {
  return jobId.replace(/_.*$/, '');
}
