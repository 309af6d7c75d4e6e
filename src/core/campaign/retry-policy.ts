import type { Fault } from '../../errors.ts';
import { nearest } from '../experiment/nearest.ts';
import { outcomeClasses, type OutcomeClass } from '../logs/events.ts';

/**
 * What the end of a run means to its cell.
 * - `answer`: it ran, or it does not fit. Out of memory is what the next launch would say too.
 * - `stopped`: a person ended it. That says nothing about the cell: it is run again when the campaign goes on.
 * - `infrastructure`: what was around the run broke. Another launch may well end otherwise.
 * - `failure`: the run itself is wrong, or its limits are; the same launch fails again.
 */
export type Standing = 'answer' | 'stopped' | 'infrastructure' | 'failure';

const standings = {
  ok: 'answer',
  gpu_oom: 'answer',
  host_oom: 'answer',
  shm_full: 'answer',
  unsupported: 'answer',
  // The same seed and data give the same numbers.
  nan_or_inf: 'answer',
  loss_scale_floor: 'answer',
  interrupted: 'stopped',
  cancelled: 'stopped',
  // A taken port, a host that did not answer, a node whose prologue failed.
  launch_error: 'infrastructure',
  node_fail: 'infrastructure',
  preempted: 'infrastructure',
  // A link or a rank that was gone for minutes.
  nccl_timeout: 'infrastructure',
  // Somebody's SIGKILL, and not for memory: that would be host_oom.
  killed_unknown: 'infrastructure',
  // A log that just stops, and nobody who saw why: its machine went down.
  incomplete: 'infrastructure',
  // The next launch gets as little time; `--retry time_limit` is for whoever raised the limit.
  time_limit: 'failure',
  // Found out only after many minutes, and as often a bug of the program.
  hang: 'failure',
  worker_dead: 'failure',
  config_error: 'failure',
  install_error: 'failure',
  crash: 'failure',
} as const satisfies Record<OutcomeClass, Standing>;

export function standingOf(outcome: OutcomeClass): Standing {
  return standings[outcome];
}

/** Which ends of a run are followed by another launch. */
export type RetryPolicy = ReadonlySet<OutcomeClass>;

/** `--retry` words: `infra`, `failed`, `none`, or classes. */
const infrastructure: RetryPolicy = new Set(
  outcomeClasses.filter((name) => standings[name] === 'infrastructure'),
);

const failed: RetryPolicy = new Set([
  ...infrastructure,
  ...outcomeClasses.filter((name) => standings[name] === 'failure'),
]);

/** What is followed by another launch where nobody says otherwise. */
export const defaultRetry: readonly string[] = ['infra'];

/** @returns the classes that `--retry` names, or every fault of it. */
export function parseRetry(
  words: readonly string[],
): { readonly ok: true; readonly policy: RetryPolicy } | { readonly ok: false; readonly faults: Fault[] } {
  const faults: Fault[] = [];
  const policy = words.flatMap((word): OutcomeClass[] => {
    if (word === 'infra') return [...infrastructure];
    if (word === 'failed') return [...failed];
    if (word === 'none') return [];
    const found = outcomeClasses.find((name) => name === word);
    if (found !== undefined && failed.has(found)) return [found];
    faults.push(retryFault(word, found));
    return [];
  });
  return faults.length > 0 ? { ok: false, faults } : { ok: true, policy: new Set(policy) };
}

function retryFault(word: string, found: OutcomeClass | undefined): Fault {
  const place = `--retry ${word}`;
  const names = ['infra', 'failed', 'none', ...failed];
  if (found === undefined) {
    const near = nearest(word, names);
    return { place, problem: 'is no end of a run', expected: near ?? names.join(', ') };
  }
  const problem =
    standings[found] === 'stopped'
      ? 'needs no retry: what a person stopped is run again with --resume'
      : 'is an answer, and the next launch would give the same';
  return { place, problem, expected: names.join(', ') };
}
