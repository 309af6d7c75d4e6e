import type { SchedulerVerdict } from '../logs/events.ts';
import { isOfAnother, isSettled } from './parse-accounting.ts';
import type { JobExit, JobFacts } from './job-facts.ts';
import type { JobJournal } from './job-journal.ts';
import { hopelessReason, phaseOf, verdictOf } from './states.ts';

/** All that is known of a job at one moment. The controller is believed while it knows the job, then sacct, then the
 * files that the job itself left. */
export interface JobView {
  /** The name that the job was submitted with. */
  readonly name: string;
  readonly journal: JobJournal;
  /** Every node reported a good end of its own part. */
  readonly isWhole: boolean;
  /** The controller's newest word; null while it said nothing. */
  readonly controller: JobFacts | null;
  /** The controller answered, and no longer knows the job. */
  readonly isForgotten: boolean;
  /** sacct's newest word; null where it has none, or where there is no accounting. */
  readonly accounting: JobFacts | null;
  /** For how long nobody who was asked knew anything new of a job whose end is near, milliseconds. */
  readonly silentMs: number;
}

/** Where a job stands. */
export type JobNow =
  | {
      readonly phase: 'pending';
      /** Slurm's word, such as `Priority`. */
      readonly reason: string | null;
      /** Why it will wait for ever; null where it may start. */
      readonly hopeless: string | null;
    }
  | { readonly phase: 'running'; readonly startUtc: string | null; readonly nodes: string }
  | {
      readonly phase: 'ended';
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly verdict: SchedulerVerdict | null;
    };

/** How long the job's own word of a bad end waits for Slurm's, which says why. */
const patienceMs = 60_000;

/** Says where a job stands. */
export function jobNow(view: JobView): JobNow {
  const { journal, controller, isForgotten } = view;
  if (isGoodEnd(view)) return endOf(view, null);
  if (controller !== null && !isForgotten) {
    if (phaseOf(controller) === 'pending' && !beganSince(journal, controller)) {
      const { reason } = controller;
      return { phase: 'pending', reason, hopeless: hopelessReason(controller) ?? null };
    }
    if (phaseOf(controller) === 'ended') return endOf(view, controller);
  }
  const settled = settledAccounting(view);
  if (settled !== null && (isForgotten || controller === null)) return endOf(view, settled);
  const isOver = journal.endUtc !== null || isForgotten;
  if (isOver && view.silentMs >= patienceMs) return endOf(view, null);
  return whileAlive(view);
}

/**
 * Its script and all nodes reached their end by themselves, and well: nobody else has anything to add. The status of
 * the script alone is not enough: srun leaves with 0 where a node died under it ("Node failure on node4", 22.05).
 */
function isGoodEnd({ journal: { endUtc, exitCode, terminated }, isWhole }: JobView): boolean {
  return endUtc !== null && exitCode === 0 && !terminated && isWhole;
}

/** Whether the journal is newer than the controller's word, and not of a life before the job was put back. */
function beganSince({ startUtc, restart }: JobJournal, { restarts }: JobFacts): boolean {
  return startUtc !== null && restarts !== null && restart >= restarts;
}

function settledAccounting({ accounting, name, silentMs }: JobView): JobFacts | null {
  if (accounting === null || phaseOf(accounting) !== 'ended' || isOfAnother(accounting, name)) return null;
  return isSettled(accounting, name) || silentMs >= patienceMs ? accounting : null;
}

function whileAlive({ journal, controller }: JobView): JobNow {
  if (journal.startUtc === null && controller === null) {
    return { phase: 'pending', reason: null, hopeless: null };
  }
  return { phase: 'running', startUtc: journal.startUtc, nodes: journal.nodes || (controller?.nodes ?? '') };
}

/** The script knows its exit status best: sacct takes 128 off, and neither tool tells 143 from SIGTERM. */
function endOf({ journal, name, isWhole }: JobView, facts: JobFacts | null): JobNow {
  const isTold =
    journal.endUtc !== null && (journal.exitCode !== 0 || isWhole || facts?.state === 'COMPLETED');
  const own = isTold ? journal.exitCode : null;
  const exit = facts?.exit ?? null;
  return {
    phase: 'ended',
    exitCode: own ?? statusOf(facts),
    signal: own === null ? signalName(exit) : null,
    verdict: verdictOfEnd(journal, facts, name),
  };
}

/** Of a job that was ended by others Slurm shows 0. */
function statusOf(facts: JobFacts | null): number | null {
  if (facts === null || (facts.state !== 'COMPLETED' && facts.state !== 'FAILED')) return null;
  return facts.exit === null || facts.exit.signal !== 0 ? null : facts.exit.status;
}

function verdictOfEnd(journal: JobJournal, facts: JobFacts | null, name: string): SchedulerVerdict | null {
  const ranAtAll = journal.startUtc !== null;
  const verdict = facts === null ? null : verdictOf(facts, ranAtAll);
  if (verdict !== null) return verdict;
  const job = `Slurm job ${facts?.jobId ?? journal.jobId ?? name}`;
  if (journal.limitCame)
    return {
      class: 'time_limit',
      reason: `${job}: its time limit came near, and the training was asked to end`,
    };
  if (facts === null && journal.terminated)
    return {
      class: 'cancelled',
      reason: `${job}: it was ended by SIGTERM, and Slurm does not say any more by whom`,
    };
  if (facts !== null || ranAtAll) return null;
  return { class: 'launch_error', reason: `${job}: Slurm no longer knows it, and it never began` };
}

const signalNames: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  6: 'SIGABRT',
  7: 'SIGBUS',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  15: 'SIGTERM',
};

function signalName(exit: JobExit | null): string | null {
  if (exit === null || exit.signal === 0) return null;
  return signalNames[exit.signal] ?? null;
}
