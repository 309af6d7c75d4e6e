import { expect, it } from 'vitest';
import type { Mark, MarkSource } from '../../../../../src/core/figures/figure-data.ts';
import { reversedOrderNotes } from '../../../../../src/core/figures/paper/notes/reversed-order.ts';

const series = [
  { key: 'prism', title: 'SuperOffload' },
  { key: 'zero_offload', title: 'ZeRO-Offload' },
];
const mark = (seriesKey: string, source: MarkSource, x: string, value: number | null): Mark => ({
  ...{ panel: 'p', series: seriesKey, x, source, state: value === null ? 'oom' : 'value', value },
  ...{ low: null, high: null, basis: null, wall: null, runIds: [], notes: [] },
});
const places = (prism: number | null, offload: number, x: string): Mark[] => [
  mark('prism', 'published', x, 203),
  mark('zero_offload', 'published', x, 124),
  mark('prism', 'predicted', x, prism),
  mark('zero_offload', 'predicted', x, offload),
];

it('says where the prediction has the other order than the paper, and in how many places', () => {
  const notes = reversedOrderNotes(series, [
    ...places(199, 251, '2B'),
    ...places(300, 251, '3B'),
    ...places(1, 2, '5B'),
  ]);
  expect(notes).toEqual([expect.stringContaining('SuperOffload and ZeRO-Offload, in 2 of 3 places')]);
});

it('says nothing of an order that holds in most places, nor of places without both numbers', () => {
  expect(reversedOrderNotes(series, [...places(199, 251, '2B'), ...places(300, 251, '3B')])).toEqual([]);
  expect(reversedOrderNotes(series, places(null, 251, '2B'))).toEqual([]);
});
