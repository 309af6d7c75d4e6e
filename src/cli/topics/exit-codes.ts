import type { exitCodes } from '../../errors.ts';
import { rows } from './topic-text.ts';

/** By what errors.ts gives: a code that is new there has no meaning here, and does not compile. */
const meanings: Readonly<Record<(typeof exitCodes)[keyof typeof exitCodes], string>> = {
  2: 'usage, or an invalid config: the message names each place and what was expected',
  3: 'the environment or an install is not ready: superoffload doctor says what is missing',
  4: 'a run failed or gave no answer: a crash, a hang, a refused config, a launch that failed. Out of memory is an answer in a grid and in a search (0), and 4 for the one case that was asked for by name',
  5: 'gate: a regression',
  6: 'gate: inconclusive',
  129: 'ended by SIGHUP',
  130: 'ended by Ctrl-C',
  143: 'ended by SIGTERM',
};

/** Exit status and meaning, in order. */
export function exitMeanings(): (readonly [code: string, meaning: string])[] {
  const named = Object.entries(meanings);
  return [
    ['0', 'done as asked'],
    ['1', 'a bug of superoffload: please report it with the lines that it printed'],
    ...named.sort(([a], [b]) => Number(a) - Number(b)),
  ];
}

export function text(): string {
  return `Exit status of superoffload. Of several faults the highest of 3, 4, 1.\n\n${rows(exitMeanings())}`;
}
