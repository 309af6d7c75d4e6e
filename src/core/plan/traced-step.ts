import { runFiles } from '../results/run-files.ts';
import type { Fault } from '../../errors.ts';
import type { Case } from '../experiment/case.ts';
import type { RunPlan } from './run-plan.ts';

/**
 * A step of a run that is watched: the built-in trainer writes what happened within it (experiment/trainer/timeline.py).
 * Watching costs time (on an H200 up to 14% of the step where it has thousands of kernels), so that step counts in no
 * statistics.
 */

/** Which step `--timeline` watches: a number from 1, or the usual one. */
export type TimelineRequest = number | 'usual';

/** Late enough that nothing is allocated any more. */
const usualStep = 8;

/** @returns the step of a case that is watched: the last one of a short run */
export function tracedStepOf(request: TimelineRequest, { steps }: Pick<Case, 'steps'>): number {
  return request === 'usual' ? Math.min(usualStep, steps) : request;
}

/** What the trainer reads: the file, relative to the run folder, and the step. */
export function traceEnv(step: number): Readonly<Record<string, string>> {
  return { SUPEROFFLOAD_TRACE: runFiles.timeline, SUPEROFFLOAD_TRACE_STEP: String(step) };
}

/** @returns null where no step of a run is watched */
export function tracedStep({ env }: Pick<RunPlan, 'env'>): number | null {
  if (env['SUPEROFFLOAD_TRACE'] !== runFiles.timeline) return null;
  const step = Number(env['SUPEROFFLOAD_TRACE_STEP']);
  return Number.isSafeInteger(step) && step > 0 ? step : null;
}

/**
 * @param stepMs of a run from its first step on
 * @returns the same without the step that was watched
 */
export function untraced(stepMs: Float64Array, traced: number | null): Float64Array {
  return traced === null ? stepMs : stepMs.filter((_, index) => index !== traced - 1);
}

/** Why a step of these cases cannot be watched. */
export function timelineFaults(request: TimelineRequest, cases: readonly Case[]): Fault[] {
  const others = new Set(cases.map(({ workload }) => workload).filter((workload) => workload !== 'builtin'));
  const shortest = Math.min(...cases.map(({ steps }) => steps));
  return [
    ...[...others].map((workload) => ({
      place: '--timeline',
      problem: `${workload} writes none`,
      expected: '--workload builtin, the trainer of this tool',
    })),
    ...(request !== 'usual' && request > shortest
      ? [
          {
            place: `--timeline ${request}`,
            problem: `a run has ${shortest} steps`,
            expected: `1 to ${shortest}`,
          },
        ]
      : []),
  ];
}
