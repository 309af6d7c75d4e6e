import { setTimeout as sleep } from 'node:timers/promises';
import { startDetached } from '../../adapters/exec.ts';
import type { RunFolder } from '../../adapters/run-store.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import type { RunEvent } from '../../core/results/run-event.ts';
import { askingEnvironment } from '../../core/slurm/environment.ts';
import type { JobNow } from '../../core/slurm/job-now.ts';
import type { Submission } from '../../core/slurm/parse-sbatch.ts';
import { slurmPlanOf, type SlurmPlan } from '../../core/slurm/slurm-plan.ts';
import { hopelessHint } from '../../core/slurm/states.ts';
import type { Context, Unstamped } from '../context.ts';
import { noteEvent } from './journal.ts';
import { cancelPatiently } from '../slurm/cancel.ts';
import { pollerOf } from '../slurm/cluster.ts';
import { findJob } from '../slurm/find-job.ts';
import { JobNews } from '../slurm/job-news.ts';
import { JobWatch } from '../slurm/job-watch.ts';
import { submitRun } from '../slurm/submit.ts';
import { failedFirst, oomKillsIn, ownStatus } from '../slurm/node-reports.ts';
import { StepRun } from './slurm-step-run.ts';
import type { KillReason, RunEnd, StartedRun } from './started-run.ts';
import { UnsubmittedRun } from './unsubmitted-run.ts';

/** How often the job's own files are looked at. */
const lookMs = 500;
/** After scancel: KillWait is 30 s by default, and a node may take its time to clean up. */
const endMs = 3 * 60_000;

interface SubmittedJob extends Submission {
  /** The name that Slurm knows it by. */
  readonly name: string;
  readonly nodes: number;
  /** Of srun: one a node, or one a rank. */
  readonly tasks: number;
}

/** One run as a batch job of Slurm, from its submission until Slurm has its last word. */
export class SlurmRun implements StartedRun {
  readonly folder: RunFolder;
  readonly ended: Promise<RunEnd>;
  readonly #context: Context;
  readonly #job: SubmittedJob;
  readonly #watch: JobWatch;
  #settle: (end: RunEnd) => void = () => undefined;
  #now: JobNow = { phase: 'pending', reason: null, hopeless: null };
  #isKilled = false;
  #isOver = false;

  /**
   * Gives a run to Slurm; in an allocation, starts it there as a step.
   * @throws SuperOffloadError 'environment' where Slurm refuses it.
   */
  static async submit(context: Context, folder: RunFolder, plan: RunPlan): Promise<StartedRun> {
    const slurmPlan = slurmPlanOf(plan);
    if (slurmPlan.schedule.allocation !== null) return StepRun.start(context, folder, slurmPlan);
    const job = await submitRun(context, folder, slurmPlan);
    if (job === null) return new UnsubmittedRun(context, folder);
    const own = { ...job, name: folder.runId, ...sizeOf(slurmPlan) };
    return new SlurmRun(context, folder, own, context.now());
  }

  /**
   * Takes hold of a run that another tool submitted.
   * @returns null where nothing was ever submitted, or where its end is in the journal
   */
  static async attach(
    context: Context,
    folder: RunFolder,
    plan: RunPlan,
    events: readonly RunEvent[],
  ): Promise<StartedRun | null> {
    const slurmPlan = slurmPlanOf(plan);
    if (events.some(({ type }) => type === 'exited')) return null;
    if (slurmPlan.schedule.allocation !== null) return StepRun.attach(context, folder, slurmPlan, events);
    const cluster = slurmPlan.schedule.options['clusters'] ?? null;
    const job = await findJob(context, folder, events, cluster);
    if (job === null) return null;
    const submitting = events.findLast((event) => event.type === 'submitting');
    const name = submitting?.jobName ?? folder.runId;
    const submittedMs = submitting === undefined ? 0 : Date.parse(submitting.utc);
    if (!events.some(({ type }) => type === 'submitted'))
      noteEvent(context, folder, { type: 'submitted', ...job });
    return new SlurmRun(context, folder, { ...job, name, ...sizeOf(slurmPlan) }, submittedMs);
  }

  private constructor(context: Context, folder: RunFolder, job: SubmittedJob, submittedMs: number) {
    this.folder = folder;
    this.#context = context;
    this.#job = job;
    const poller = pollerOf(context, job.cluster);
    this.#watch = new JobWatch(context, folder, poller, { ...job, id: job.jobId, submittedMs });
    this.ended = new Promise((resolve) => {
      this.#settle = (end) => {
        this.#isOver = true;
        this.#watch.stop();
        resolve(end);
      };
    });
    context.force.addEventListener('abort', this.#forced);
    void this.#follow();
  }

  get startedMs(): number | null {
    // The journal of a job that was put back is of its life before.
    return this.#now.phase === 'pending' ? null : this.#watch.startedMs;
  }

  get waitingFor(): string | null {
    if (this.#now.phase !== 'pending') return null;
    return this.#now.reason === null ? 'pending' : `pending: ${this.#now.reason}`;
  }

  /** The submission wrote it, before anything else could happen. */
  readonly noteStart = (): void => undefined;

  readonly kill = async (reason: KillReason): Promise<void> => {
    this.#note({ type: 'killed', reason });
    await this.stop();
  };

  readonly stop = async (): Promise<void> => {
    this.#isKilled = true;
    const { folder } = this;
    const isTaken = await cancelPatiently(this.#context, {
      folder,
      ...this.#job,
      isOver: () => this.#isOver,
    });
    this.#watch.hurry();
    if (isTaken) await Promise.race([this.ended, sleep(endMs, undefined, { ref: false })]);
    if (this.#isOver) return;
    this.#tellLost();
    this.#settle(lost);
  };

  readonly leaveNothing = async (): Promise<void> => {
    const { left } = this.#watch.journal;
    const pids = left.flatMap((each) => each.pids);
    if (pids.length > 0) {
      this.#note({ type: 'left-behind', pids });
      const where = left.map((each) => `${each.pids.join(' ')} on ${each.host}`).join(', ');
      this.#context.emit({
        type: 'warning',
        message: `processes of run ${this.folder.runId} could not be killed: ${where}`,
        hint: 'Their GPU and port stay taken until the system call that they are in returns.',
      });
    }
    const { scheduler, exitCode, signal } = await this.ended;
    this.#note({ type: 'job-ended', verdict: scheduler });
    this.#note({ type: 'exited', exitCode, signal });
  };

  readonly release = (): void => {
    this.#context.force.removeEventListener('abort', this.#forced);
    this.#watch.stop();
    this.#isOver = true;
  };

  /** A second signal: the program may be gone at once, and scancel goes on without it. */
  readonly #forced = (): void => {
    const cluster = this.#job.cluster === null ? [] : [`--clusters=${this.#job.cluster}`];
    const env = askingEnvironment(this.#context.env);
    const words = [...cluster, `--name=${this.#job.name}`, this.#job.jobId];
    void startDetached(['scancel', ...words], { env, cwd: '/' }).catch(() => undefined);
    this.#settle(lost);
  };

  async #follow(): Promise<void> {
    const news = new JobNews(this.#context, this.folder, this.#job.jobId, this.#watch);
    while (!this.#isOver) {
      this.#now = this.#watch.look();
      news.tell();
      if (this.#now.phase === 'ended') {
        this.#settle(this.#endOf(this.#now));
        return;
      }
      const hopeless = this.#watch.hopelessFor(this.#now);
      if (hopeless !== null && !this.#isKilled) return this.#giveUp(hopeless);
      await sleep(lookMs);
    }
  }

  #endOf({ exitCode, signal, verdict }: Extract<JobNow, { phase: 'ended' }>): RunEnd {
    // Slurm says CANCELLED of what this tool cancelled: why it did stands in the journal.
    const scheduler = this.#isKilled && verdict?.class === 'cancelled' ? null : verdict;
    const status = ownStatus(this.folder, exitCode);
    const first = failedFirst(status, this.#job.tasks);
    return { exitCode: status, signal, scheduler, oomKills: oomKillsIn(this.folder), ...first };
  }

  /** Slurm would hold it for ever. */
  async #giveUp(why: string): Promise<void> {
    const { jobId } = this.#job;
    const reason = `Slurm job ${jobId} will never start: ${this.#watch.heard?.reason ?? 'held'} (${why})`;
    this.#context.emit({ type: 'warning', message: `${reason}; it is cancelled` });
    await cancelPatiently(this.#context, {
      folder: this.folder,
      ...this.#job,
      isOver: () => this.#isOver,
    });
    const hint = hopelessHint(this.#watch.heard?.reason ?? null);
    this.#settle({ ...lost, scheduler: { class: 'launch_error', reason, hint } });
  }

  #tellLost(): void {
    const { jobId } = this.#job;
    this.#context.emit({
      type: 'warning',
      message: `Slurm job ${jobId} of run ${this.folder.runId} may still be there: Slurm does not say that it ended`,
      hint: `Look for it with: squeue --jobs=${jobId}`,
    });
  }

  #note(event: Unstamped<RunEvent>): void {
    noteEvent(this.#context, this.folder, event);
  }
}

function sizeOf({ schedule }: SlurmPlan): { readonly nodes: number; readonly tasks: number } {
  const { nodes } = schedule.layout;
  return { nodes, tasks: nodes * Number(schedule.options['ntasks-per-node'] ?? 1) };
}

const lost: RunEnd = { exitCode: null, signal: null, scheduler: null, oomKills: null };
