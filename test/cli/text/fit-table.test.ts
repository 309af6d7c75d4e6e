import { describe, expect, it } from 'vitest';
import { widthOf } from '../../../src/cli/text/fit-table.ts';
import { longTable } from '../../../src/cli/text/long-table.ts';
import { resultTable } from '../../../src/cli/text/result-table.ts';

const id = '20261123T020900Z-throughput-h200-1-zero_offload-10b-27bc';
const columns = [{ title: 'run' }, { title: 'state' }, { title: 's/step', align: 'right' }, { title: 'what', cut: true }] as const; // prettier-ignore
const rows = [
  [id, 'host_oom', '-', 'zero_offload, 10B, 1 chip, batch 1, sequence 1024'],
  [id.replace('27bc', '6c9e'), 'ok', '1.284', 'zero_offload, 2B'],
];
const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));

describe.each([
  ['resultTable', resultTable],
  ['longTable', longTable],
])('%s', (_, table) => {
  it('is whole where the output is no terminal, however long', () => {
    const whole = table(columns, rows, null);
    expect(whole.split('\n')[1]).toBe(
      `${id}  host_oom       -  zero_offload, 10B, 1 chip, batch 1, sequence 1024`,
    );
    expect(table(columns, rows, 200)).toBe(whole);
  });

  it('shortens ids to their second and their digits, then to the digits', () => {
    expect(table(columns, rows, 100)).toContain('20261123T020900Z..27bc  host_oom');
    expect(table(columns, rows, 82)).toMatch(
      /^\.\.27bc +host_oom +- {2}zero_offload, 10B, 1 chip, batch 1, sequence 1024$/m,
    );
  });

  it('cuts the text that may be cut', () => {
    expect(table(columns, rows, 50)).toMatch(/^\.\.27bc +host_oom +- {2}zero_offload, 10B, 1 c\.\.$/m);
  });

  it('makes lines of each row where nothing else helps', () => {
    expect(table(columns, rows, 34)).toBe(
      [
        '..27bc  host_oom',
        '  what zero_offload, 10B, 1 chip..',
        '..6c9e  ok',
        '  s/step 1.284',
        '  what zero_offload, 2B',
      ].join('\n'),
    );
  });

  it('never is wider than a terminal, from the narrowest where a name has room', () => {
    for (let width = 30; width < 140; width += 1)
      expect(widest(table(columns, rows, width)), String(width)).toBeLessThanOrEqual(width);
  });
});

it('knows the width of a terminal only', () => {
  expect(widthOf({ isTTY: true, columns: 80 })).toBe(80);
  expect(widthOf({ columns: 80 })).toBeNull();
  expect(widthOf({ isTTY: true, columns: 0 })).toBeNull();
});
