import type { Wall } from '../../../search/frontier.ts';
import type { Mark, MarkRatio, MarkSource, MarkState } from '../../figure-data.ts';

/** The words for what a mark is; one set for the picture and the tables. */

export const sourceTitles: Readonly<Record<MarkSource, string>> = {
  measured: 'measured',
  predicted: 'predicted',
  published: 'paper',
};

export const wallWords = { gpu: 'GPU', host: 'host', pinned: 'pinned', shm: 'shm' } as const;

const stateWords = {
  oom: 'OOM',
  failed: 'failed',
  stopped: 'stopped early',
  'not-run': 'not run',
  unsupported: 'unsupported',
  'not-drawn': 'not drawn',
} as const satisfies Record<Exclude<MarkState, 'value'>, string>;

/** What stands where there is no number: `OOM GPU`, `not run`. */
export function stateText({ state, wall }: Pick<Mark, 'state' | 'wall'>): string {
  if (state === 'value') return '';
  return state === 'oom' && wall !== null ? `OOM ${wallWords[wall]}` : stateWords[state];
}

/** `2.08x (1.87 to 2.35)`. */
export function ratioText({ value, low, high }: MarkRatio): string {
  const interval = low === null || high === null ? '' : ` (${low.toFixed(2)} to ${high.toFixed(2)})`;
  return `${value.toFixed(2)}x${interval}`;
}

/** The truth may be higher: a note of the figure's data says so (core/figures/marks/frontier-mark.ts). */
export function isAtLeast({ notes }: Mark): boolean {
  return notes.some((note) => /^at least\b/.test(note));
}

/** What the words of a picture mean, for those that it has. */
export function wordsExplained(marks: readonly Mark[]): string[] {
  const has = (state: MarkState): boolean => marks.some((mark) => mark.state === state);
  const walls = (ofValues: boolean): Wall[] =>
    wallOrder.filter((wall) =>
      marks.some((mark) => mark.wall === wall && (mark.state === 'value') === ofValues),
    );
  const which = walls(false)
    .map((wall) => wallTitles[wall])
    .join(', ');
  const ends = walls(true)
    .map((wall) => wallWords[wall])
    .join(', ');
  return [
    ...(has('oom') ? [`OOM: out of memory${which === '' ? '' : `, of ${which}`}`] : []),
    ...(marks.some(isAtLeast) ? ['\u2265: at least; what runs above it is not known'] : []),
    ...(ends === '' ? [] : [`(${ends}): the memory that the next size lacks`]),
    ...(marks.some(({ ratio }) => ratio !== undefined)
      ? ['x: times as fast as the first bar of the panel, with its interval']
      : []),
    ...(has('failed') ? ['failed: ended for another reason than memory'] : []),
    ...(has('stopped') ? ['stopped early: somebody ended it, no number of it is used'] : []),
    ...(has('not-run') ? ['not run: no run of it with these settings, this is not zero'] : []),
    ...(has('unsupported') ? ['unsupported: it cannot run here'] : []),
  ];
}

const wallOrder = ['gpu', 'host', 'pinned', 'shm'] as const satisfies readonly Wall[];
const wallTitles = {
  gpu: 'the GPU',
  host: 'the host',
  pinned: 'pinned host memory (pinned)',
  shm: '/dev/shm (shm)',
} as const satisfies Record<Wall, string>;
