import { nearest } from '../../core/experiment/nearest.ts';
import { figureNumbers, type FigureNumber } from '../../core/figures/figure-data.ts';
import { faultsError, type Fault } from '../../errors.ts';

export const figureFormats = ['svg', 'png', 'json', 'csv', 'md', 'html'] as const;
export type FigureFormat = (typeof figureFormats)[number];

/** Where nothing is said: pictures, and the data that they were drawn from. */
export const usualFormats = ['svg', 'png', 'json'] as const satisfies readonly FigureFormat[];

/** @throws SuperOffloadError 'usage' with every word that is no figure and no format. */
export function checkedRequest(
  figures: string,
  formats: readonly string[],
): { readonly figures: readonly FigureNumber[]; readonly formats: readonly FigureFormat[] } {
  const numbers = figures.trim().toLowerCase() === 'all' ? [...figureNumbers] : numberOf(figures);
  const isFormat = (name: string): name is FigureFormat =>
    (figureFormats as readonly string[]).includes(name);
  const faults: Fault[] = formats
    .filter((name) => !isFormat(name))
    .map((name) => ({
      place: '--formats',
      problem: `there is no format ${JSON.stringify(name.slice(0, 40))}`,
      expected: nearest(name, figureFormats) ?? figureFormats.join(', '),
    }));
  if (numbers.length === 0) {
    const problem = `${JSON.stringify(figures.slice(0, 40))} is no figure that can be drawn`;
    faults.unshift({ place: 'figure', problem, expected: `${figureNumbers.join(', ')} or all` });
  }
  if (faults.length > 0) throw faultsError('usage', faults);
  return { figures: numbers, formats: figureFormats.filter((name) => formats.includes(name)) };
}

function numberOf(text: string): FigureNumber[] {
  return figureNumbers.filter((number) => String(number) === text.trim());
}
