import { wholeJob, type JobFacts } from '../../../core/slurm/job-facts.ts';
import { pollDelay, pollTarget, type PollPace } from '../../../core/slurm/poll-pace.ts';
import { askAccounting, askController, type Answer, type SlurmAccess } from './tools.ts';

/** The newest word of Slurm about one job. */
export interface JobWord {
  readonly controller: JobFacts | null;
  /** The controller answered and does not know it (any more). */
  readonly isForgotten: boolean;
  readonly accounting: JobFacts | null;
  /** There is no accounting that could say anything. */
  readonly isUnaccounted: boolean;
  /** How often the controller has been heard about it. */
  readonly times: number;
}

export interface WatchedJob {
  /** The newest word, at no cost. */
  readonly word: () => JobWord;
  /** The job is near its end: whoever may know more is asked as soon as the pace allows. */
  readonly hurry: () => void;
  readonly stop: () => void;
}

export interface PollerEvents {
  /** The controller does not answer: said once, with its words. */
  readonly onSilence: (said: string) => void;
  /** It answers again, after so many milliseconds. */
  readonly onReturn: (silentMs: number) => void;
}

interface Entry {
  readonly jobId: string;
  readonly name: string;
  word: JobWord;
  hurried: boolean;
}

const unheard: JobWord = {
  controller: null,
  isForgotten: false,
  accounting: null,
  isUnaccounted: false,
  times: 0,
};

/**
 * Asks Slurm about all jobs of a program at once: one squeue or one sacct at a time, never more than one in the pace's
 * shortest delay, whatever happens. While nothing changes it asks ever more rarely.
 */
export class JobPoller {
  readonly #access: SlurmAccess;
  readonly #events: PollerEvents;
  readonly #pace: PollPace;
  readonly #entries = new Set<Entry>();
  #timer: NodeJS.Timeout | null = null;
  #isAsking = false;
  #askedMs = Number.NEGATIVE_INFINITY;
  #delayMs: number;
  #askedLast: 'controller' | 'accounting' = 'accounting';
  #silentSinceMs: number | null = null;
  #calls = 0;

  constructor(access: SlurmAccess, events: PollerEvents, pace: PollPace) {
    this.#access = access;
    this.#events = events;
    this.#pace = pace;
    this.#delayMs = pace.shortestMs;
  }

  /** How many calls were made so far. */
  get calls(): number {
    return this.#calls;
  }

  /** The controller did not answer the newest question. */
  get isSilent(): boolean {
    return this.#silentSinceMs !== null;
  }

  /** @param name of the job: a controller that lost its state may have given its id to another one */
  watch(jobId: string, name: string): WatchedJob {
    const entry: Entry = { jobId, name, word: unheard, hurried: false };
    this.#entries.add(entry);
    this.#hurry();
    return {
      word: () => entry.word,
      hurry: () => {
        entry.hurried = true;
        this.#hurry();
      },
      stop: () => {
        this.#entries.delete(entry);
        if (this.#entries.size === 0) this.#schedule(null);
      },
    };
  }

  #hurry(): void {
    this.#delayMs = this.#pace.shortestMs;
    if (!this.#isAsking) this.#schedule(this.#delayMs);
  }

  #schedule(delayMs: number | null): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (delayMs === null) return;
    const waitMs = Math.max(this.#pace.firstMs, this.#askedMs + delayMs - Date.now());
    this.#timer = setTimeout(() => void this.#ask(), waitMs);
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    this.#askedMs = Date.now();
    this.#calls += 1;
    const entries = [...this.#entries];
    const target = pollTarget(entries.map(positionOf), {
      askedLast: this.#askedLast,
      isSilent: this.#silentSinceMs !== null,
    });
    this.#askedLast = target;
    const changed =
      target === 'controller' ? await this.#askController(entries) : await this.#askAccounting(entries);
    this.#delayMs = pollDelay(this.#pace, this.#delayMs, changed || entries.some(({ hurried }) => hurried));
    this.#isAsking = false;
    if (this.#entries.size > 0) this.#schedule(this.#delayMs);
  }

  async #askController(entries: readonly Entry[]): Promise<boolean> {
    const asked = entries.filter(({ word }) => !word.isForgotten);
    const answer = await askController(this.#access, idsOf(asked.length > 0 ? asked : entries));
    this.#note(answer);
    if (!answer.ok) return false;
    const known = new Map(answer.value.map((facts) => [facts.jobId, facts]));
    let changed = false;
    for (const entry of entries) {
      const found = known.get(entry.jobId);
      const facts = found?.name === entry.name ? found : undefined;
      changed ||= facts?.state !== entry.word.controller?.state;
      entry.word = {
        ...entry.word,
        controller: facts ?? entry.word.controller,
        isForgotten: facts === undefined,
        times: entry.word.times + 1,
      };
    }
    return changed;
  }

  async #askAccounting(entries: readonly Entry[]): Promise<boolean> {
    const answer = await askAccounting(this.#access, idsOf(entries));
    // Without accounting nothing is lost: the job's own files say the rest.
    if (!answer.ok) {
      for (const entry of entries) entry.word = { ...entry.word, isUnaccounted: !answer.isUnreachable };
      return false;
    }
    const known = new Map(answer.value.map((facts) => [facts.jobId, facts]));
    let changed = false;
    for (const entry of entries) {
      const facts = known.get(entry.jobId) ?? entry.word.accounting;
      changed ||= facts?.state !== entry.word.accounting?.state;
      entry.word = { ...entry.word, accounting: facts };
    }
    return changed;
  }

  #note(answer: Answer<unknown>): void {
    if (answer.ok) {
      if (this.#silentSinceMs !== null) this.#events.onReturn(Date.now() - this.#silentSinceMs);
      this.#silentSinceMs = null;
    } else if (this.#silentSinceMs === null) {
      this.#silentSinceMs = this.#askedMs;
      this.#events.onSilence(answer.said);
    }
  }
}

function idsOf(entries: readonly Entry[]): string[] {
  return [...new Set(entries.map(({ jobId }) => wholeJob(jobId)))];
}

function positionOf({ word, hurried }: Entry): { isForgotten: boolean; isNearEnd: boolean } {
  return { isForgotten: word.isForgotten, isNearEnd: hurried };
}
