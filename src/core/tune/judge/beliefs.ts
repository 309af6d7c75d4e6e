import { covariance, launchVariance } from './covariance.ts';
import type { Candidate } from '../tuning.ts';

/** What a candidate's step is thought to take, by its prediction and by what trials of its like have shown of it. */
export interface Belief {
  readonly expectedMs: number;
  /** One in fifteen is faster than this, if the variances are right. */
  readonly optimisticMs: number;
}

export interface Observation {
  readonly candidate: Candidate;
  readonly stepMs: number;
}

/** Predictions of one GPU were a median 8% too short when this was set, and are 5% (bench/predict.md). */
const usualError = 0.08;
const optimism = 1.5;

/**
 * Regression of ln(measured / predicted) on the trials so far: a normal process with the covariance of covariance.ts
 * (Rasmussen and Williams 2006, algorithm 2.1). So a mode whose trials came out 20% slower than predicted has its other
 * candidates corrected by nearly that, and other modes by as much of it as is the machine's.
 */
export function believe(observations: readonly Observation[]): (candidate: Candidate) => Belief {
  const residuals = observations.map(({ candidate, stepMs }) => Math.log(stepMs / priorMs(candidate)));
  const factor = cholesky(
    observations.map((a, row) =>
      observations.map(
        (b, column) => covariance(a.candidate, b.candidate) + (row === column ? launchVariance : 0),
      ),
    ),
  );
  const weights = solveUpper(factor, solveLower(factor, residuals));
  return (candidate) => {
    const shared = observations.map((one) => covariance(candidate, one.candidate));
    const explained = solveLower(factor, shared);
    const variance = covariance(candidate, candidate) + launchVariance - dot(explained, explained);
    const mean = Math.log(priorMs(candidate)) + dot(shared, weights);
    const deviation = Math.sqrt(Math.max(0, variance));
    return { expectedMs: Math.exp(mean), optimisticMs: Math.exp(mean - optimism * deviation) };
  };
}

function priorMs({ orderMs }: Candidate): number {
  return orderMs * Math.exp(usualError);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
}

/** Lower triangle L of L L' = matrix, which is positive definite: each diagonal has a variance of its own. */
function cholesky(matrix: readonly (readonly number[])[]): number[][] {
  const lower: number[][] = [];
  for (const [row, values] of matrix.entries()) {
    const own: number[] = [];
    for (let column = 0; column <= row; column += 1) {
      const other = column === row ? own : (lower[column] ?? []);
      const rest = (values[column] ?? 0) - dot(own.slice(0, column), other.slice(0, column));
      own.push(column === row ? Math.sqrt(rest) : rest / (other[column] ?? 1));
    }
    lower.push(own);
  }
  return lower;
}

function solveLower(lower: readonly (readonly number[])[], right: readonly number[]): number[] {
  const solution: number[] = [];
  for (const [row, values] of lower.entries()) {
    solution.push(((right[row] ?? 0) - dot(solution, values.slice(0, row))) / (values[row] ?? 1));
  }
  return solution;
}

/** Solves with the transpose of a lower triangle. */
function solveUpper(lower: readonly (readonly number[])[], right: readonly number[]): number[] {
  const solution = right.map(() => 0);
  for (let row = right.length - 1; row >= 0; row -= 1) {
    const known = lower
      .slice(row + 1)
      .map((values, index) => (values[row] ?? 0) * (solution[row + 1 + index] ?? 0));
    const sum = known.reduce((total, value) => total + value, 0);
    solution[row] = ((right[row] ?? 0) - sum) / (lower[row]?.[row] ?? 1);
  }
  return solution;
}
