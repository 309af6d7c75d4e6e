import type { Fault } from '../../errors.ts';
import { modeNames, type ModeName } from '../experiment/case.ts';
import { modes } from './modes/registry.ts';

/**
 * `--ratio` where nothing takes it: it would be passed over in silence.
 * @param asked the modes that were asked for by name; none where they are the experiment's own
 */
export function ratioFaults(asked: readonly ModeName[], ratio: number | undefined): Fault[] {
  if (ratio === undefined || asked.length === 0 || asked.some(hasRatio)) return [];
  const [last, ...others] = modeNames.filter(hasRatio).reverse();
  const taking = [others.reverse().join(', '), last].filter(Boolean).join(' or ');
  return [
    {
      place: `--ratio ${ratio}`,
      problem: `${asked.join(' and ')} ${asked.length === 1 ? 'has' : 'have'} no ratio`,
      expected: `--mode ${taking}, or no such flag`,
    },
  ];
}

function hasRatio(mode: ModeName): boolean {
  return modes[mode].defaultRatio !== null;
}
