import { remainingMs } from '../../core/campaign/expected-time.ts';
import type { DriveOptions } from '../../core/campaign/next.ts';
import type { Context } from '../context.ts';
import type { CampaignEvent, ProgressEvent } from '../events.ts';
import { countsOf } from './report.ts';
import type { CampaignSession } from './session.ts';

/** How often the counts and the time left are taken again while runs tell of their steps. */
const everyMs = 1_000;

type RunEndedEvent = Extract<ProgressEvent, { readonly type: 'run-ended' }>;

/** Tells how far a campaign is: at every end of a run, and with the newest step of those that run. */
export class CampaignProgress {
  /** For the runs: their steps become the campaign's own. */
  readonly context: Context;
  readonly #outer: Context;
  readonly #name: string;
  readonly #session: CampaignSession;
  readonly #options: () => DriveOptions;
  readonly #isMany: boolean;
  readonly #titles = new Map<string, string>();
  /** What runs wait for: a queue may hold hundreds of them, and one line tells of all. */
  readonly #waiting = new Map<string, string>();
  #underway: ReadonlyMap<string, number> = new Map();
  #toldMs = Number.NEGATIVE_INFINITY;
  #newest: CampaignEvent['live'] = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(context: Context, name: string, session: CampaignSession, options: () => DriveOptions) {
    this.#outer = context;
    this.#name = name;
    this.#session = session;
    this.#options = options;
    this.#isMany = options().maxJobs > 1;
    this.context = { ...context, emit: this.#onEvent };
  }

  begin(): void {
    this.#tell(null);
    // Time passes where no run tells of a step: in a queue, or while a model is loaded.
    this.#timer = setInterval(this.#tellLive, everyMs);
    this.#timer.unref();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** @param underway cells with a launch that goes on, and when each began, milliseconds since the epoch */
  readonly onChange = (underway: ReadonlyMap<string, number>): void => {
    const isEnd = underway.size < this.#underway.size;
    this.#underway = new Map(underway);
    if (isEnd) this.#tell(null);
  };

  readonly #onEvent = (event: ProgressEvent): void => {
    if (event.type === 'run-started') this.#titles.set(event.runId, event.title);
    if (event.type === 'run-step') {
      this.#waiting.delete(event.runId);
      this.#newest = { step: event, title: this.#titles.get(event.runId) ?? '' };
      if (this.#outer.now() - this.#toldMs >= everyMs) this.#tellLive();
      return;
    }
    if (event.type === 'run-waiting' && this.#isMany) this.#waiting.set(event.runId, event.waitingFor);
    else if (event.type === 'run-ended') this.#onEnd(event);
    else this.#outer.emit(event);
  };

  #onEnd(event: RunEndedEvent): void {
    const { runId } = event;
    const title = this.#titles.get(runId);
    // Among several runs a line says which of them it is about.
    this.#outer.emit(this.#isMany && title !== undefined ? { ...event, title } : event);
    if (this.#newest?.step?.runId === runId) this.#newest = null;
    this.#titles.delete(runId);
    this.#waiting.delete(runId);
  }

  readonly #tellLive = (): void => {
    this.#tell(this.#newest ?? { title: '', step: null });
  };

  #tell(live: CampaignEvent['live']): void {
    const nowMs = this.#outer.now();
    this.#toldMs = nowMs;
    const options = this.#options();
    const { states } = this.#session;
    const underway = [...this.#underway].map(([key, startedMs]) => ({ key, startedMs }));
    this.#outer.emit({
      type: 'campaign',
      name: this.#name,
      ...countsOf(states, options, new Set(this.#underway.keys())),
      waiting: this.#waiting.size,
      waitingFor: [...this.#waiting.values()].at(-1) ?? null,
      // After an interruption nothing else begins: what is left is not waited for.
      remainingMs: this.#outer.signal.aborted ? null : remainingMs(states, underway, options, nowMs),
      live,
    });
  }
}
