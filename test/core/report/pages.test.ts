import { describe, expect, it } from 'vitest';
import type { RunDetails } from '../../../src/core/report/report-data.ts';
import { stepChart } from '../../../src/core/report/page/chart.ts';
import { createFolderReader } from '../../../src/core/report/run-details.ts';

const chart = (values: readonly number[], warmUp = 0): string =>
  stepChart({ title: 'Step time', unit: 's', values, warmUp, median: null, interval: null }).toString();
const points = (page: string): number => page.match(/\d+ \d+h0/g)?.length ?? 0;

describe('the chart of a run', () => {
  it('has a dot a step, those of the warm-up apart', () => {
    expect(points(chart([9, 1, 2, 3], 1))).toBe(4);
    expect(chart([9, 1, 2, 3], 1)).toContain('class="wd" d="M0 0h0"');
  });

  it('is drawn around the steps that count, with round numbers at the axis', () => {
    expect(chart([13.5, 2.85, 2.59, 2.58, 2.7], 1)).toContain(
      '<span>2.85</span><span>2.7</span><span>2.55</span>',
    );
  });

  it('thins a long run to the largest of each group, and says so', () => {
    const values = Array.from({ length: 10_000 }, (_, index) => (index === 5_000 ? 50 : 1));
    const page = chart(values);
    expect(page).toContain('each point is the largest of 25 steps');
    expect(page.match(/>([\d. ]+)<\/p>/)?.[1]?.split(' ')).toHaveLength(400);
    expect(page).toContain(' 50 ');
  });

  it.each([
    ['one step', [1]],
    ['equal steps', [1, 1, 1]],
    ['zeros', [0, 0]],
    ['nothing finite', [Number.NaN, Number.POSITIVE_INFINITY]],
    ['some not finite', [1, Number.NaN, 2]],
    ['huge', [1e300, 2e300]],
    ['tiny', [1e-300, 2e-300]],
  ])('is a picture of %s', (_, values) => {
    const drawn = chart(values).match(/<svg.*<\/svg>/)?.[0] ?? '';
    expect(drawn).toContain('<svg');
    expect(drawn).not.toMatch(/NaN|Infinity|undefined/);
  });

  it('is quick with a million steps', () => {
    const start = performance.now();
    chart(
      Array.from({ length: 1_000_000 }, (_, index) => 1 + (index % 10)),
      500_000,
    );
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe('what a page shows of a run folder', () => {
  const plan = (port: number, ...command: unknown[]): string => JSON.stringify({ port, command });
  const names = ['record.json', 'output.log', 'plan.json', 'ds_config.json', 'other.txt'];
  const read = (runs: number, plans: readonly string[]): RunDetails['configuration'][] => {
    const reader = createFolderReader(runs);
    return plans.map(
      (text, index) => reader(`run${index}`, { plan: text, config: '{"a":1}', names }).configuration,
    );
  };

  it('leaves secrets out of the command', () => {
    const words = ['train.py', '--hf-token', 'abcdef0123456789', '--lr', '1', 'https://u:pass@host/x'];
    const [shown] = read(1, [plan(1, ...words)]);
    expect(JSON.stringify(shown)).not.toMatch(/abcdef|pass@/);
    expect(JSON.stringify(shown)).toContain('--lr 1');
  });

  it('shows a configuration once in a long report, whatever port the launches had', () => {
    const plans = [plan(29501, 'x', '--port=29501'), plan(29502, 'x', '--port=29502'), plan(29503, 'y')];
    expect(read(1000, plans).map(({ kind }) => kind)).toEqual(['shown', 'same', 'shown']);
    expect(read(10, plans).map(({ kind }) => kind)).toEqual(['shown', 'shown', 'shown']);
  });

  it('copies only so much into a long report', () => {
    const plans = Array.from({ length: 400 }, (_, index) => plan(1, `word${index}`.repeat(200)));
    const kinds = read(400, plans).map(({ kind }) => kind);
    expect(kinds[0]).toBe('shown');
    expect(kinds.at(-1)).toBe('linked');
  });

  it.each(['', '{', 'null', '[]', '{"command": 1}', '{"command": []}', '{"command": {"length": 3}}'])(
    'takes a damaged plan for none: %s',
    (text) => {
      expect(read(1, [text])).toEqual([{ kind: 'shown', command: null, deepspeed: '{\n  "a": 1\n}' }]);
    },
  );

  it('links the files that are there and known', () => {
    const { files } = createFolderReader(1)('run', { plan: null, config: null, names });
    expect(files).toEqual(['output.log', 'record.json', 'plan.json', 'ds_config.json']);
  });
});
