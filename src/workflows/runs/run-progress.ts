import { createFold } from '../../core/logs/fold.ts';
import { worldSizeOf } from '../../core/logs/outcome.ts';
import type { IterationEvent } from '../../core/logs/events.ts';
import { caseTflops } from '../../core/model/shape.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { tracedStep, untraced } from '../../core/plan/traced-step.ts';
import { watchdogVerdict } from '../../core/plan/watchdog.ts';
import { isSurelyAbove } from '../../core/stats/above.ts';
import { isStable } from '../../core/stats/stable.ts';
import { median } from '../../core/stats/median.ts';
import type { Context } from '../context.ts';

const paceSteps = 20;

/** Memory in use at the newest sample, GiB; null where none was taken. */
export interface MemoryNow {
  /** The whole machine's. */
  readonly hostGiB: number | null;
  /** The fullest GPU's of the run. */
  readonly gpuGiB: number | null;
}

/** The state of a run while it lasts: its log so far, its pace, and what to tell the user. */
export class RunProgress {
  readonly #fold = createFold();
  readonly #context: Context;
  readonly #plan: RunPlan;
  readonly #runId: string;
  /** null while a scheduler holds the run back: no clock of it ticks. */
  readonly #startedMs: () => number | null;
  readonly #memory: () => MemoryNow;
  #lastStepMs: number | null = null;
  #stepsSeen = 0;
  #checkedAt = 0;
  /** Of the newest steps: the pace now, for the watchdog and the time left. */
  #paceMs: number | null = null;

  /** @param memory the newest figures, asked for at every step: it must cost nothing */
  constructor(
    context: Context,
    plan: RunPlan,
    runId: string,
    startedMs: () => number | null,
    memory: () => MemoryNow,
  ) {
    this.#context = context;
    this.#plan = plan;
    this.#runId = runId;
    this.#startedMs = startedMs;
    this.#memory = memory;
  }

  get log() {
    return this.#fold.state;
  }

  push(lines: Iterable<string>): void {
    for (const line of lines) {
      for (const event of this.#fold.push(line)) if (event.type === 'iteration') this.#onStep(event);
    }
  }

  /**
   * Why the run may end now: it is measured as precisely as was asked, or cannot be the fastest any more. Looked at only
   * once a step: the answer cannot change in between. Not before the step whose timeline is wanted is done.
   */
  mayEnd(): 'converged' | 'abandoned' | null {
    const { maxError, abandonAboveMs } = this.#plan;
    if (this.#checkedAt === this.#stepsSeen) return null;
    this.#checkedAt = this.#stepsSeen;
    const traced = tracedStep(this.#plan);
    if (traced !== null && this.#stepsSeen < traced) return null;
    const steps = untraced(this.#fold.state.stepMs.values(), traced);
    if (maxError !== null && isStable(steps, maxError)) return 'converged';
    return abandonAboveMs !== undefined && isSurelyAbove(steps, abandonAboveMs) ? 'abandoned' : null;
  }

  verdict(): 'timeout' | 'hang' | 'wrong_world' | null {
    const startedMs = this.#startedMs();
    if (startedMs === null) return null;
    if (this.#isOtherWorld()) return 'wrong_world';
    const pace = {
      nowMs: this.#context.now(),
      startedMs,
      // A step before the start is of a life before this one: the job was put back into its queue.
      lastStepMs: this.#lastStepMs !== null && this.#lastStepMs < startedMs ? null : this.#lastStepMs,
      medianStepMs: this.#paceMs,
    };
    return watchdogVerdict(pace, this.#plan.limits);
  }

  /** A launcher that lost its hosts trains on fewer ranks: every step of it is a step too many. */
  #isOtherWorld(): boolean {
    const seen = worldSizeOf(this.#fold.state);
    return this.#plan.workload !== 'command' && seen !== null && seen !== this.#plan.worldSize;
  }

  #onStep(step: IterationEvent): void {
    this.#lastStepMs = this.#context.now();
    this.#stepsSeen += 1;
    const planned = this.#plan.steps ?? step.plannedIterations;
    const newest = this.#fold.state.stepMs.values().slice(-paceSteps);
    this.#paceMs = newest.length === 0 ? null : median(newest);
    this.#context.emit({
      type: 'run-step',
      runId: this.#runId,
      step,
      plannedSteps: planned,
      tflopsPerGpu: this.#tflops(step),
      ...this.#memory(),
      elapsedMs: this.#lastStepMs - (this.#startedMs() ?? this.#lastStepMs),
      remainingMs:
        planned === null || this.#paceMs === null
          ? null
          : Math.max(0, planned - step.iteration) * this.#paceMs,
    });
  }

  #tflops(step: IterationEvent): number | null {
    const subject = this.#plan.case;
    if (subject === null || step.stepMs === null) return step.loggedTflops;
    return caseTflops(subject, step.stepMs).modelTflops;
  }
}
