import { quoteWord } from './quote.ts';

/**
 * What a plan cannot know of a machine that a schedule gives it: a word of the command or a value of the
 * environment may hold these, and the run's script takes them from the variable of that name where it is started.
 */
export const placeholders = {
  nodeRank: '@NODE_RANK@',
  masterAddress: '@MASTER_ADDRESS@',
  masterPort: '@MASTER_PORT@',
  slurmProcid: '@SLURM_PROCID@',
  slurmLocalid: '@SLURM_LOCALID@',
} as const;

const variables: Readonly<Record<string, string>> = {
  [placeholders.nodeRank]: 'SUPEROFFLOAD_NODE_RANK',
  [placeholders.masterAddress]: 'MASTER_ADDR',
  [placeholders.masterPort]: 'MASTER_PORT',
  [placeholders.slurmProcid]: 'SLURM_PROCID',
  [placeholders.slurmLocalid]: 'SLURM_LOCALID',
};

const anyPlaceholder = new RegExp(`(${Object.keys(variables).join('|')})`);

/**
 * Quotes one word for a POSIX shell, but for its placeholders, which become their variables in double quotes: no
 * value of them is ever split or expanded again.
 */
export function quoteWithPlaceholders(word: string): string {
  return word
    .split(anyPlaceholder)
    .map((part) => {
      const variable = variables[part];
      if (variable !== undefined) return `"\${${variable}}"`;
      return part === '' && word !== '' ? '' : quoteWord(part);
    })
    .join('');
}
