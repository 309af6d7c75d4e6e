import { isList, valueKindOf, type ValueKind } from '../../core/completion/value-kind.ts';
import type { DeclaredCommand, DeclaredFlag, DeclaredValue } from '../declared.ts';

/** What may stand at the cursor. */
export interface Next {
  /** Goes before each candidate: `--mode=`, or `prism,` of a list. */
  readonly prefix: string;
  /** What is typed of the candidate itself. */
  readonly typed: string;
  readonly flags: readonly DeclaredFlag[];
  readonly commands: readonly DeclaredCommand[];
  readonly value: NextValue | null;
}

export interface NextValue {
  readonly kind: ValueKind;
  readonly choices: readonly string[] | null;
  /** Values of a list that are there already. */
  readonly taken: readonly string[];
}

/** How far a command line is read. */
interface Place {
  readonly command: DeclaredCommand;
  /** `campaign run`. */
  readonly path: string;
  readonly used: ReadonlySet<string>;
  /** Arguments so far. */
  readonly position: number;
  /** A flag that takes the word at the cursor, or may take it. */
  readonly pending: { readonly flag: DeclaredFlag; readonly must: boolean } | null;
  /** Behind `--`. */
  readonly ended: boolean;
}

/** @param words of the command line without the program's name; the last one is at the cursor. */
export function whatNext(root: DeclaredCommand, words: readonly string[]): Next {
  const current = words.at(-1) ?? '';
  const place = readWords(root, words.slice(0, -1));
  const { command, path, pending, ended, used } = place;
  if (pending !== null && (pending.must || !current.startsWith('-'))) {
    return valueNext(path, pending.flag.name, pending.flag.value, '', current);
  }
  if (!ended && current.startsWith('-')) {
    const at = current.indexOf('=');
    const flag = at === -1 ? undefined : findFlag(command, current.slice(0, at));
    if (flag !== undefined) {
      return valueNext(path, flag.name, flag.value, current.slice(0, at + 1), current.slice(at + 1));
    }
    return { ...nothing, typed: current, flags: freeFlags(command, used) };
  }
  return argumentNext(place, current);
}

const nothing: Next = { prefix: '', typed: '', flags: [], commands: [], value: null };

function argumentNext({ command, path, position, ended, used }: Place, current: string): Next {
  const argument =
    command.args[position] ?? (command.args.at(-1)?.variadic === true ? command.args.at(-1) : undefined);
  const commands = position === 0 && !ended ? command.commands : [];
  if (argument !== undefined) {
    return { ...valueNext(path, argument.placeholder, argument, '', current), commands };
  }
  // Where only flags can follow, they are offered without the first dash.
  const flags = command.commands.length === 0 && current === '' && !ended ? freeFlags(command, used) : [];
  return { ...nothing, typed: current, commands, flags };
}

function valueNext(
  path: string,
  name: string,
  value: DeclaredValue | null,
  prefix: string,
  current: string,
): Next {
  if (value === null) return { ...nothing, prefix, typed: current };
  const kind = valueKindOf(path, name, value.placeholder) ?? 'none';
  const at = value.choices === null && isList(kind) ? current.lastIndexOf(',') + 1 : 0;
  return {
    ...nothing,
    prefix: `${prefix}${current.slice(0, at)}`,
    typed: current.slice(at),
    value: { kind, choices: value.choices, taken: current.slice(0, at).split(',') },
  };
}

function readWords(root: DeclaredCommand, words: readonly string[]): Place {
  const used = new Set<string>();
  let [command, path, position, ended] = [root, '', 0, false];
  let pending: Place['pending'] = null;
  for (const word of words) {
    if (pending !== null && (pending.must || !word.startsWith('-'))) {
      pending = pending.flag.value?.variadic === true ? { flag: pending.flag, must: false } : null;
      continue;
    }
    pending = null;
    if (ended) position += 1;
    else if (word === '--') ended = true;
    else if (word.startsWith('-') && word !== '-') {
      const flag = findFlag(command, word.split('=')[0] ?? '');
      if (flag === undefined) continue;
      used.add(flag.name);
      if (flag.value !== null && !word.includes('=')) pending = { flag, must: flag.value.required };
    } else {
      const inner: DeclaredCommand | undefined =
        position === 0 ? command.commands.find(({ name }) => name === word) : undefined;
      if (inner === undefined) position += 1;
      else [command, path] = [inner, path === '' ? inner.name : `${path} ${inner.name}`];
    }
  }
  return { command, path, used, position, pending, ended };
}

function findFlag({ flags }: DeclaredCommand, word: string): DeclaredFlag | undefined {
  return flags.find(({ name, short }) => name === word || short === word);
}

/** One that takes no value says nothing more the second time. */
function freeFlags({ flags }: DeclaredCommand, used: ReadonlySet<string>): DeclaredFlag[] {
  return flags.filter(({ name, value }) => value !== null || !used.has(name));
}
