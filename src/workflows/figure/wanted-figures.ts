import { nearest } from '../../core/experiment/nearest.ts';
import { figureNumbers, type FigureNumber } from '../../core/figures/figure-data.ts';
import { faultsError, type Fault } from '../../errors.ts';
import { figureFormats, type FigureFormat } from './formats.ts';
import { ownFigures } from './own-figures.ts';

/** Figures of the paper, or one of this tool's own (a key of {@link ownFigures}). */
export type WantedFigures = { readonly figures: readonly FigureNumber[] } | { readonly own: string };

/** What completion offers, and a message expects. */
export const figureWords: readonly string[] = [
  ...figureNumbers.map(String),
  'all',
  ...Object.keys(ownFigures),
];

/** @throws SuperOffloadError 'usage' with every word that is no figure and no format. */
export function checkedRequest(
  word: string,
  formats: readonly string[],
): { readonly wanted: WantedFigures; readonly formats: readonly FigureFormat[] } {
  const wanted = figuresNamed(word.trim().toLowerCase());
  const isFormat = (name: string): name is FigureFormat =>
    (figureFormats as readonly string[]).includes(name);
  const faults: Fault[] = formats
    .filter((name) => !isFormat(name))
    .map((name) => ({
      place: '--formats',
      problem: `there is no format ${JSON.stringify(name.slice(0, 40))}`,
      expected: nearest(name, figureFormats) ?? figureFormats.join(', '),
    }));
  if (wanted !== null && faults.length === 0)
    return { wanted, formats: figureFormats.filter((name) => formats.includes(name)) };
  if (wanted === null) {
    const problem = `${JSON.stringify(word.slice(0, 40))} is no figure that can be drawn`;
    const expected =
      nearest(word, Object.keys(ownFigures)) ??
      `${figureWords.slice(0, -1).join(', ')} or ${figureWords.at(-1) ?? ''}`;
    faults.unshift({ place: 'figure', problem, expected });
  }
  throw faultsError('usage', faults);
}

function figuresNamed(word: string): WantedFigures | null {
  if (word === 'all') return { figures: figureNumbers };
  if (Object.hasOwn(ownFigures, word)) return { own: word };
  const figures = figureNumbers.filter((number) => String(number) === word);
  return figures.length > 0 ? { figures } : null;
}
