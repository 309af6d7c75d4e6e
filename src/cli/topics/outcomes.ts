import { outcome } from '../../core/logs/outcome-hints.ts';
import { outcomeTable } from '../../core/logs/outcome-table.ts';
import { fold } from './topic-text.ts';

/** Of the table that the tests hold real logs against. */
export function text(): string {
  const blocks = outcomeTable.map(({ class: name, proof }) => {
    const { hint } = outcome(name, '');
    const lines = [`proof: ${proof}`, ...(hint === null ? [] : [`next: ${hint}`])];
    return [
      name,
      ...lines.flatMap((line) => fold(line, 94).map((each, at) => `  ${at === 0 ? '' : '  '}${each}`)),
    ].join('\n');
  });
  return [
    'How a run can end. An outcome is a claim with a proof: what has none is called crash or killed_unknown, not guessed.',
    ...blocks,
    'See how one ended, with the line that proves it: superoffload runs show last',
  ].join('\n\n');
}
