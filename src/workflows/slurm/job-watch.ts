import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { JobPoller, WatchedJob } from '../../adapters/schedulers/slurm/poller.ts';
import type { RunFolder } from '../../adapters/run-store.ts';
import { runFiles } from '../../core/results/run-files.ts';
import { parseJobJournal, type JobJournal } from '../../core/slurm/job-journal.ts';
import { jobNow, type JobNow } from '../../core/slurm/job-now.ts';
import type { Context } from '../context.ts';
import { readJobJournal } from './find-job.ts';
import { allEndedWell } from './node-reports.ts';

/** A hopeless reason must be said twice: nodes that come back take it away again. */
const hopelessTimes = 2;

/** One job as the controller, the database and its own files show it together. */
export class JobWatch {
  readonly #context: Context;
  readonly #folder: RunFolder;
  readonly #name: string;
  readonly #nodes: number;
  readonly #submittedMs: number;
  readonly #poller: JobPoller;
  readonly #watched: WatchedJob;
  #journal: JobJournal = parseJobJournal('');
  #journalBytes = -1;
  #startedMs: number | null = null;
  #doubtSinceMs: number | null = null;
  #hopeless = { reason: '', times: 0, heard: 0 };

  constructor(
    context: Context,
    folder: RunFolder,
    poller: JobPoller,
    job: {
      readonly id: string;
      readonly name: string;
      readonly nodes: number;
      /** By this machine's clock, milliseconds since the epoch; 0 where it is not known. */
      readonly submittedMs: number;
    },
  ) {
    this.#context = context;
    this.#folder = folder;
    this.#name = job.name;
    this.#nodes = job.nodes;
    this.#submittedMs = job.submittedMs;
    this.#poller = poller;
    this.#watched = poller.watch(job.id, job.name);
  }

  get journal(): JobJournal {
    return this.#journal;
  }

  /**
   * When its newest life began, by this machine's clock: limits of time are counted by it, and the node's may be
   * another. Of a life that was begun before anybody looked, the node's word, as far as it can be.
   */
  get startedMs(): number | null {
    return this.#startedMs;
  }

  /** Slurm's own word for its state, as it was heard last. */
  get heard(): { readonly state: string; readonly reason: string | null } | null {
    const facts = this.#watched.word().controller;
    return facts === null ? null : { state: facts.state, reason: facts.reason };
  }

  /**
   * How often it was put back into the queue: the controller says it (Restarts), and so does the new life, whose
   * beginning may come and go between two questions. sacct has no such field (22.05).
   */
  get restarts(): number {
    return Math.max(this.#watched.word().controller?.restarts ?? 0, this.#journal.restart);
  }

  /** Where it stands. Files are read where they grew; Slurm is asked by the poller alone. */
  look(): JobNow {
    this.#readJournal();
    const { controller, isForgotten, accounting, isUnaccounted } = this.#watched.word();
    const isWhole = this.#journal.exitCode === 0 && allEndedWell(this.#folder, this.#nodes);
    const silentMs = isWhole ? 0 : this.#silentMs(isForgotten, isUnaccounted);
    const view = { name: this.#name, journal: this.#journal, isWhole, silentMs };
    return jobNow({ ...view, controller, isForgotten, accounting });
  }

  /** Why it will never start, once Slurm has said so twice. */
  hopelessFor(now: JobNow): string | null {
    const reason = now.phase === 'pending' ? now.hopeless : null;
    const { times } = this.#watched.word();
    if (reason === null) this.#hopeless = { reason: '', times: 0, heard: times };
    else if (times !== this.#hopeless.heard)
      this.#hopeless = { reason, times: this.#hopeless.times + 1, heard: times };
    return this.#hopeless.times >= hopelessTimes ? reason : null;
  }

  /** It is about to end: Slurm is asked as soon as the pace allows. */
  hurry(): void {
    this.#watched.hurry();
  }

  stop(): void {
    this.#watched.stop();
  }

  #readJournal(): void {
    const path = join(this.#folder.path, runFiles.jobEvents);
    const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    if (bytes === this.#journalBytes) return;
    const isFirstLook = this.#journalBytes === -1;
    this.#journalBytes = bytes;
    const before = this.#journal.startUtc;
    this.#journal = readJobJournal(this.#folder);
    const { startUtc } = this.#journal;
    if (startUtc === null || startUtc === before) return;
    const nowMs = this.#context.now();
    this.#startedMs = isFirstLook
      ? Math.max(this.#submittedMs, Math.min(nowMs, Date.parse(startUtc)))
      : nowMs;
  }

  /**
   * How long it has been over without a word why. A job that was ended may go back into the queue: that only the
   * controller knows, and it is waited for.
   */
  #silentMs(isForgotten: boolean, isUnaccounted: boolean): number {
    const { startUtc, endUtc, terminated } = this.#journal;
    if (endUtc === null && !isForgotten) {
      this.#doubtSinceMs = null;
      return 0;
    }
    if (this.#doubtSinceMs === null) this.#watched.hurry();
    this.#doubtSinceMs ??= this.#context.now();
    // One that began may yet say how it ends, where the controller lost its state: that is waited for.
    if (isForgotten && isUnaccounted && (startUtc === null || endUtc !== null))
      return Number.POSITIVE_INFINITY;
    if (terminated && this.#poller.isSilent) return 0;
    return this.#context.now() - this.#doubtSinceMs;
  }
}
