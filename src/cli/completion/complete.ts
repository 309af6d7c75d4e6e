import { shortText, type Candidate } from '../../core/completion/candidate.ts';
import { bashReply, readShellLine } from '../../core/completion/shell-line.ts';
import { candidates, pathsOf } from '../../workflows/completion/candidates.ts';
import type { CommandIo } from '../commands/module.ts';
import { declared } from '../declared.ts';
import { whatNext } from './what-next.ts';

export const shellNames = ['bash', 'zsh', 'fish'] as const;
export type ShellName = (typeof shellNames)[number];

export interface Completions {
  /** What the shell adds of its own: nothing, files or folders. */
  readonly paths: 'values' | 'files' | 'folders';
  readonly candidates: readonly Candidate[];
}

/** @param words of the command line without the program's name; the last one is at the cursor. */
export async function completions(io: CommandIo, words: readonly string[]): Promise<Completions> {
  const { declareProgram } = await import('../program.ts');
  const root = declared(await declareProgram(words.slice(0, -1), io));
  const next = whatNext(root, words);
  const { value, prefix, typed } = next;
  const found: Candidate[] = [
    ...next.commands.map(({ name, summary }) => ({ value: name, description: shortText(summary) })),
    ...next.flags.map(({ name, description }) => ({ value: name, description: shortText(description) })),
    ...(value === null ? [] : await valuesOf(io, value, typed)),
  ];
  const fitting = found.filter(
    (each) => each.value.startsWith(typed) && value?.taken.includes(each.value) !== true,
  );
  return {
    paths: value === null || value.choices !== null ? 'values' : pathsOf(value.kind),
    candidates: fitting.map((each) => ({ ...each, value: `${prefix}${each.value}` })),
  };
}

async function valuesOf(
  io: CommandIo,
  { choices, kind }: NonNullable<ReturnType<typeof whatNext>['value']>,
  typed: string,
): Promise<Candidate[]> {
  if (choices !== null) return choices.map((value) => ({ value }));
  if (kind !== 'topic') return candidates(io.context, kind, typed);
  const { topics } = await import('../topics/index.ts');
  const { commands } = await import('../commands/index.ts');
  const verbs = commands.filter(({ hidden }) => hidden !== true);
  return [...verbs, ...topics].map(({ name, summary }) => ({ value: name, description: shortText(summary) }));
}

/**
 * What the script of a shell reads: on the first line what it adds of its own, and `nospace` where no candidate ends a
 * word; then a candidate a line, with its description behind a tab. bash gets what it puts in place of what it completes.
 * @param words for bash COMP_WORDBREAKS and the line up to the cursor, for the others the words
 */
export async function completionLines(
  io: CommandIo,
  shell: ShellName,
  words: readonly string[],
): Promise<string> {
  const [breaks = '', text = ''] = words;
  const line = shell === 'bash' ? readShellLine(text) : null;
  const { paths, candidates: found } = await completions(
    io,
    line?.words.slice(1) ?? (shell === 'fish' ? unquoted(words) : words),
  );
  const isOpen = found.length > 0 && found.every(({ value }) => value.endsWith('='));
  const lines =
    line === null
      ? found.map(({ value, description }) =>
          description === undefined ? value : `${value}\t${description}`,
        )
      : found.map(({ value }) => bashReply(line, value, breaks));
  return [isOpen ? `${paths} nospace` : paths, ...lines, ''].join('\n');
}

/** fish gives the words before the cursor as they are meant, and the one at it as it was typed. */
function unquoted(words: readonly string[]): string[] {
  return [...words.slice(0, -1), readShellLine(words.at(-1) ?? '').words.at(-1) ?? ''];
}
