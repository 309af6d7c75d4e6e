import { describe, expect, it } from 'vitest';
import { statesOf } from '../../../src/core/campaign/state.ts';
import { predictDurationMs } from '../../../src/core/model/duration.ts';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { foresightOf } from '../../../src/workflows/campaign/foresight.ts';
import type { Planning } from '../../../src/workflows/plan/planning.ts';
import { sampleCell } from '../../core/campaign/sample-cell.ts';
import { sampleSystem } from '../../core/sample-plan.ts';

describe('what a campaign that goes on expects', () => {
  const rates = {
    ...{ achievableTflops: 800, hbmGBps: 4800, h2dGBps: 55, d2hGBps: 55, hostGBps: 97 },
    ...{ adamNsPerParameter: 0.225, intraNodeGBps: null, interNodeGBps: null },
  };
  const system = sampleSystem({ rates });
  const cells = [1, 2, 3].map((seed) => sampleCell({ seed }));
  const predictedMs = predictDurationMs(cells[0]!.case, system, cells[0]!.case.steps)!;

  it('is as far off the formulas as its first runs were, though their runs are stored', () => {
    const took = 5 * predictedMs;
    const [a, b] = cells;
    const record = { durationMs: took } as RunRecord;
    const planned = { cells, planning: { system } as Planning };
    const foresight = foresightOf(planned, new Map([a, b].map((cell) => [cell!.key, [record]])));
    const states = statesOf(
      cells,
      [a, b].map((cell, index) => {
        const ending = { runId: String(index), outcome: 'ok', durationMs: took } as const;
        return { type: 'result', utc: '2026-01-02T03:04:05.678Z', key: cell!.key, ...ending };
      }),
    );
    expect(states.map(foresight.after(states).of)).toEqual([took, took, took]);
  });
});
