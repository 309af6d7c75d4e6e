import { createHash } from 'node:crypto';
import { cellOf, type Cell, type Hash } from '../../../src/core/campaign/cell.ts';
import type { DriveOptions } from '../../../src/core/campaign/next.ts';
import { parseRetry, type RetryPolicy } from '../../../src/core/campaign/retry-policy.ts';
import type { Case } from '../../../src/core/experiment/case.ts';
import type { PlanInputs } from '../../../src/core/plan/plan-case.ts';
import { samplePlan } from '../sample-plan.ts';

export const sha256: Hash = (text) => createHash('sha256').update(text).digest('hex');

export function sampleCell(change: Partial<Case> = {}, inputs: Partial<PlanInputs> = {}): Cell {
  const cell = cellOf(samplePlan(change, inputs), sha256);
  if (cell === null) throw new Error('a planned case has a cell');
  return cell;
}

export function retryOf(...words: string[]): RetryPolicy {
  const parsed = parseRetry(words);
  if (!parsed.ok) throw new Error(parsed.faults[0]!.problem);
  return parsed.policy;
}

export function sampleOptions(change: Partial<DriveOptions> = {}): DriveOptions {
  return {
    ...{ repeat: 1, retry: retryOf('infra'), maxRetries: 2, maxJobs: 1, atOnce: 1, deadlineMs: null },
    expectedMs: () => null,
    ...change,
  };
}
