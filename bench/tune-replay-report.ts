import type { ModeName } from '../src/core/experiment/case.ts';
import { median } from '../src/core/stats/median.ts';
import { createUniform } from '../src/core/stats/pseudo-random.ts';
import { keepsAllOnGpu } from '../src/core/tune/modes-to-tune.ts';
import { replay, type Machine, type Replay, type ReplayOptions } from './tune-replay.ts';

const groups = [
  { name: 'all', isAsked: (): boolean => true },
  { name: 'prism, zero_offload, zero_infinity', isAsked: (mode: ModeName): boolean => !keepsAllOnGpu(mode) },
] as const;
const sizes: readonly (readonly [string, Machine])[] = [
  ['2B', 'first'],
  ['3B', 'first'],
  ['5B', 'first'],
  ['2B', 'second'],
  ['5B', 'second'],
  ['2B', 'third'],
  ['3B', 'fourth'],
  ['2B', 'sixth'],
  ['5B', 'seventh'],
  ['3B', 'eighth'],
];

/** Draws of what the predictions might be off by. */
const draws = 200;

export function replayReport(): string {
  return `## Replay of what was measured

The launches of eight machines with an H200 in \`measured/tune-launches.json\`, each with its own steps, memory and duration: the search is
told what a launch had shown when it asks for it, and there is nothing else to ask for. "Behind": the choice against the
fastest of them that is predicted to fit with the margin.

| size, machine | modes | launches, in order | minutes | choice | behind | why it ended |
| --- | --- | --- | --- | --- | --- | --- |
${rows().join('\n')}

The predictions were made to agree with these launches, so that says little of the search. With predictions that are off
by a factor from 0.7 to 1.6, another for each mode (${draws} draws):

| size, machine | modes | within 5% | worst | trials, median and most | minutes, median |
| --- | --- | --- | --- | --- | --- |
${disturbedRows().join('\n')}
`;
}

function rows(): string[] {
  return sizes.flatMap(([size, machine]) =>
    groups.map(({ name, isAsked }) => {
      const { launches, minutes, chosen, lossShare, end } = replay(size, { machine, isAsked });
      const told = launches.map(({ what, stepMs }) =>
        stepMs === null ? `${what}: out of memory` : `${what}: ${stepMs.toFixed(0)} ms`,
      );
      const cells = [
        `${size}, ${machine}`,
        name,
        told.join('; '),
        minutes.toFixed(1),
        chosen ?? '-',
        percent(lossShare),
        end,
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  );
}

function disturbedRows(): string[] {
  return sizes.flatMap(([size, machine]) =>
    groups.map(({ name, isAsked }) => {
      const all = disturbedReplays(size, { machine, isAsked }, draws);
      const losses = all.map(({ lossShare }) => lossShare ?? Number.POSITIVE_INFINITY);
      const trials = all.map(({ launches }) => launches.length);
      const within = losses.filter((loss) => loss <= 0.05).length / all.length;
      const cells = [
        ...[`${size}, ${machine}`, name, percent(within), percent(Math.max(...losses))],
        `${median(trials)}, ${Math.max(...trials)}`,
        median(all.map(({ minutes }) => minutes)).toFixed(1),
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  );
}

/** Predictions off by 0.7 to 1.6, even on the logarithm, a mode. */
export function disturbedReplays(
  size: string,
  options: Pick<ReplayOptions, 'machine' | 'isAsked'>,
  count: number,
): Replay[] {
  return Array.from({ length: count }, (_, seed) => {
    const uniform = createUniform(seed + 1);
    const errors = new Map<ModeName, number>();
    const error = (mode: ModeName): number => {
      const known = errors.get(mode) ?? 0.7 * (1.6 / 0.7) ** uniform();
      errors.set(mode, known);
      return known;
    };
    return replay(size, { ...options, error });
  });
}

function percent(share: number | null): string {
  return share === null ? '-' : `${(100 * share).toFixed(0)}%`;
}
