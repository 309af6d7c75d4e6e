import { describe, expect, it } from 'vitest';
import { ExpectedTime, remainingMs } from '../../../src/core/campaign/expected-time.ts';
import type { CampaignEvent } from '../../../src/core/campaign/journal.ts';
import { orderCells } from '../../../src/core/campaign/order.ts';
import { statesOf } from '../../../src/core/campaign/state.ts';
import { sampleCase } from '../sample-case.ts';
import { sampleCell, sampleOptions } from './sample-cell.ts';

const utc = '2026-01-02T03:04:05.678Z';

describe('the order', () => {
  const size = (name: string) => ({ ...sampleCase().model, name });
  const cells = ['2B', '5B', '1B'].flatMap((name) => [
    sampleCell({ mode: 'prism', model: size(name) }),
    sampleCell({ mode: 'zero_offload', model: size(name) }),
  ]);
  const names = (ordered: typeof cells): string[] =>
    ordered.map((cell) => `${cell.case.mode} ${cell.case.model.name}`);
  const expectedMs = ({ case: { model } }: { case: { model: { name: string } } }): number | null =>
    ({ '2B': 20, '1B': 10 })[model.name] ?? null;

  it('keeps what is compared side by side, the shortest first, the unknown last', () => {
    expect(names(orderCells(cells, expectedMs, false))).toEqual([
      'prism 1B',
      'zero_offload 1B',
      'prism 2B',
      'zero_offload 2B',
      'prism 5B',
      'zero_offload 5B',
    ]);
  });

  it('begins with the longest where runs go on at the same time', () => {
    expect(names(orderCells(cells, expectedMs, true)).slice(0, 3)).toEqual([
      'prism 2B',
      'zero_offload 2B',
      'prism 1B',
    ]);
  });
});

describe('the time left', () => {
  const cells = [1, 2, 3].map((seed) => sampleCell({ seed }));
  const [a, b] = cells.map(({ key }) => key) as [string, string];
  const ended = (
    key: string,
    runId: string,
    durationMs: number,
    type: 'result' | 'adopted' = 'result',
  ): CampaignEvent => ({ type, utc, key, runId, outcome: 'ok', durationMs });
  const left = (
    journal: readonly CampaignEvent[],
    predictions: Readonly<Record<string, number>>,
    change: { readonly atOnce?: number; readonly repeat?: number } = {},
    underway: readonly { readonly key: string; readonly startedMs: number }[] = [],
  ): number | null => {
    const states = statesOf(cells, journal);
    const expectedMs = new ExpectedTime(states, predictions).of;
    return remainingMs(states, underway, { ...sampleOptions(change), expectedMs }, 1_000);
  };
  const predictions = Object.fromEntries(cells.map(({ key }) => [key, 100]));

  it('is unknown before anything is', () => {
    expect(left([], {})).toBeNull();
  });

  it('is what was predicted, times what predictions were wrong by', () => {
    expect(left([], predictions)).toBe(300);
    expect(left([ended(a, '1', 150)], predictions)).toBe(300);
    expect(left([ended(a, '1', 150)], {})).toBe(300);
  });

  it('judges predictions by formulas alone: a campaign that goes on knows what its first runs took', () => {
    const states = statesOf(cells, [ended(a, '1', 500), ended(b, '2', 500, 'adopted')]);
    const { of } = new ExpectedTime(states, predictions, { [a]: 500, [b]: 500 });
    expect(states.map(of)).toEqual([500, 500, 500]);
    // What took 40 ms before takes that again, whatever the formulas are off by.
    const [first] = statesOf(cells, []);
    expect(new ExpectedTime([], predictions, { [a]: 40 }).of(first!)).toBe(40);
  });

  it('is what launches of the same cell took, where there were some', () => {
    expect(left([ended(a, '1', 50), ended(a, '2', 70)], predictions, { repeat: 3 })).toBe(60 + 6 * 60);
  });

  it('is shared by runs at the same time, down to the longest of them', () => {
    expect(left([], predictions, { atOnce: 2 })).toBe(150);
    expect(left([], predictions, { atOnce: 16 })).toBe(100);
  });

  it('counts what a run has behind it', () => {
    expect(
      left([{ type: 'attempt', utc, key: b, runId: '1' }], predictions, {}, [{ key: b, startedMs: 960 }]),
    ).toBe(260);
  });
});
