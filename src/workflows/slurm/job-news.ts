import { appendEvent, type RunFolder } from '../../adapters/run-store.ts';
import type { RunEvent } from '../../core/results/run-event.ts';
import { utcNow, type Context, type Unstamped } from '../context.ts';
import type { JobWatch } from './job-watch.ts';

/** What Slurm does with the job of a run, into the run's journal and to whoever watches, each change once. */
export class JobNews {
  readonly #context: Context;
  readonly #folder: RunFolder;
  readonly #jobId: string;
  readonly #watch: JobWatch;
  #told = '';
  #restarts = 0;

  constructor(context: Context, folder: RunFolder, jobId: string, watch: JobWatch) {
    this.#context = context;
    this.#folder = folder;
    this.#jobId = jobId;
    this.#watch = watch;
  }

  /** Tells what is new since the last call. */
  tell(): void {
    this.#tellState();
    this.#tellRestarts();
  }

  #tellState(): void {
    const { heard } = this.#watch;
    if (heard === null) return;
    const { state, reason } = heard;
    const key = `${state} ${reason ?? ''}`;
    if (key === this.#told) return;
    this.#told = key;
    this.#note({ type: 'job-state', state, reason });
  }

  /** Even of a requeue that came and went between two questions: the record must not pass for one life. */
  #tellRestarts(): void {
    const { restarts } = this.#watch;
    if (restarts <= this.#restarts) return;
    this.#restarts = restarts;
    this.#note({ type: 'requeued', restarts });
    const message = `Slurm put job ${this.#jobId} of run ${this.#folder.runId} back into its queue (${restarts}. time)`;
    this.#context.emit({ type: 'warning', message, hint: 'The run begins again; its log goes on.' });
  }

  /** On a full disk whoever follows the run meets it where the end must be written, and ends the run. */
  #note(event: Unstamped<RunEvent>): void {
    try {
      appendEvent(this.#folder, { utc: utcNow(this.#context), ...event });
    } catch {
      // As above.
    }
  }
}
