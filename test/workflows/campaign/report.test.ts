import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Cell } from '../../../src/core/campaign/cell.ts';
import type { CellState } from '../../../src/core/campaign/state.ts';
import { cellReports } from '../../../src/workflows/campaign/report.ts';
import { retryOf, sampleCell } from '../../core/campaign/sample-cell.ts';
import { goodLog, recordOf } from '../../core/sample-record.ts';

let home = '';
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'campaign-report-'));
});
afterAll(() => {
  rmSync(home, { recursive: true, force: true });
});

let runs = 0;
const good = recordOf(goodLog());

/** A settled cell whose run left a record with this speed. */
function ended(cell: Cell, modelTflopsPerGpu: number | null): CellState {
  runs += 1;
  const runId = `20260102T030405Z-${cell.caseId}-${String(runs).padStart(4, '0')}`;
  const folder = join(home, 'runs', runId);
  mkdirSync(folder, { recursive: true });
  const outcome = modelTflopsPerGpu === null ? 'gpu_oom' : 'ok';
  const record = {
    ...{ ...good, runId, statistics: null, throughput: { ...good.throughput, modelTflopsPerGpu } },
    outcome: { ...good.outcome, class: outcome },
  };
  writeFileSync(join(folder, 'record.json'), JSON.stringify(record));
  return { cell, attempts: [{ runId, outcome, durationMs: 1, adopted: false, isOfSession: true }] };
}

describe('the speed of a cell', () => {
  /** A cell with launches that ended well, each with a step time of its own. */
  const cellOf = (...stepMs: readonly number[]): CellState => {
    const attempts = stepMs.map((each, launch) => {
      const runId = `20260102T030405Z-speed${stepMs.length}-000${launch}`;
      const folder = join(home, 'runs', runId);
      mkdirSync(folder, { recursive: true });
      const steps = Array.from({ length: 30 }, (_, index) => each + ((index * 7) % 5) / 10);
      writeFileSync(join(folder, 'record.json'), JSON.stringify({ ...recordOf(goodLog(steps)), runId }));
      return { runId, outcome: 'ok', durationMs: 1, adopted: false, isOfSession: true } as const;
    });
    return { cell: sampleCell({}), attempts };
  };
  const speedOf = (state: CellState) =>
    cellReports({ home }, [state], { repeat: 3, retry: retryOf('infra'), maxRetries: 2 })[0]!;

  it('is that of its run, with how sure its steps make it', () => {
    expect(speedOf(cellOf(100))).toMatchObject({ interval: { basis: 'within one run' } });
  });

  it('is of all launches where there are several, with the interval between them', () => {
    const { medianStepMs, interval } = speedOf(cellOf(100, 120, 110));
    expect(medianStepMs).toBeGreaterThan(109);
    expect(medianStepMs).toBeLessThan(112);
    expect(interval?.basis).toBe('between launches');
    expect(interval!.highMs - interval!.lowMs).toBeGreaterThan(15);
  });
});

describe('the batch that counts', () => {
  const asked = sampleCell({ microBatch: 8, gradientAccumulation: 1 });
  const variant = (microBatch: number, activationCheckpointing = false): Cell => ({
    ...sampleCell({ microBatch, gradientAccumulation: 8 / microBatch, activationCheckpointing }),
    variant: { of: asked.key, why: activationCheckpointing ? 'recomputation' : 'accumulation' },
  });
  const best = (...variants: readonly CellState[]): string[] =>
    cellReports({ home }, [ended(asked, null), ...variants], {
      ...{ repeat: 1, retry: retryOf('infra'), maxRetries: 2 },
    })
      .filter(({ isBest }) => isBest)
      .map(({ case: { microBatch, activationCheckpointing } }) => {
        return `${microBatch}${activationCheckpointing ? ' recomputed' : ''}`;
      });

  it('is the faster of the largest that fit, as throughput chooses it: no smaller one on the way there', () => {
    expect(best(ended(variant(1), 120), ended(variant(2), 100), ended(variant(8, true), 90))).toEqual(['2']);
    expect(best(ended(variant(1), 120), ended(variant(2), 80), ended(variant(8, true), 90))).toEqual([
      '8 recomputed',
    ]);
  });

  it('is none where none ran', () => {
    expect(best(ended(variant(1), null))).toEqual([]);
  });
});
