import { describe, expect, it } from 'vitest';
import { gateText } from '../../../src/cli/text/gate.ts';
import { boundsText } from '../../../src/core/gate/output/words.ts';
import { hold, launch, session } from '../../core/gate/gate-runs.ts';

const cases = [8, 16, 32, 64].map((globalBatch) => ({ globalBatch }));
const reference = cases.flatMap((subject) => session(0, [1000, 1001, 999], { subject }));
const now = (count: number) =>
  cases
    .slice(0, count)
    .flatMap((subject) => [1, 2, 3].map((minute) => launch({ subject, minute: minute + 30 })));

describe('the text of a gate', () => {
  it('says many references that were not run in one line with their number and a command', () => {
    const report = hold({ reference, named: now(0) });
    expect(report.rows.map(({ status }) => status)).toEqual(Array(4).fill('missing'));
    const lines = gateText(report).split('\n');
    const at = lines.findIndex((line) => line.startsWith('missing: 4 references of 4 cases'));
    expect(lines[at + 1]).toMatch(
      /^ {4}the first: run it: superoffload throughput --mode \S+ --model \S+ .*--repeat 3/,
    );
    expect(lines.filter((line) => line.startsWith('missing:'))).toHaveLength(1);
    expect(gateText(hold({ reference, named: now(0), options: { allowMissing: true } }))).not.toContain(
      'run it',
    );
  });

  it('says up to three one by one', () => {
    const text = gateText(hold({ reference, named: now(1) }));
    expect(text.match(/^missing: modelTflopsPerGpu/gm)).toHaveLength(3);
  });

  it('has the verdict in its last line, and above a long table too', () => {
    const metrics = ['modelTflopsPerGpu', 'peakGpuGiB'] as const;
    const long = gateText(hold({ reference, named: now(4), metrics })).split('\n');
    expect(long.at(-1)).toMatch(/^[A-Z]+: against /);
    expect(long[0]).toBe(long.at(-1));
    const short = gateText(hold({ reference, named: now(1), metrics: ['modelTflopsPerGpu'] })).split('\n');
    expect(short.at(-1)).toMatch(/^[A-Z]+: against /);
    expect(short[0]).not.toBe(short.at(-1));
  });
});

describe('what a gate allows', () => {
  it.each<[number | null, number | null, string]>([
    [-0.04762, 0.05, '4.8% less to 5% more'],
    [null, 0.1, 'at most 10% more'],
    [-0.125, null, 'at least 12.5% less'],
    [-0.00456, 0.2, '0.46% less to 20% more'],
    [0, 0.01, 'the same to 1% more'],
    [0, 0, 'the same'],
    [null, null, 'any value'],
  ])('says %s to %s as a reader would', (lower, upper, words) => {
    expect(boundsText({ reference: { value: 1, lower, upper } })).toBe(words);
  });

  it('stands in the table', () => {
    expect(gateText(hold({ reference, named: now(1) }))).toMatch(/\d% less to \S+% more/);
  });
});
