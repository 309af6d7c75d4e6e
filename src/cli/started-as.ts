import { dirname, sep } from 'node:path';
import { packageRoot } from '../workflows/context.ts';
import { commands } from './commands/index.ts';

/** How this program was started, as far as it decides how it is started again. */
export interface Start {
  /** `process.argv[1]`: the link in a `bin` folder, or the program's own file. */
  readonly program: string;
  readonly cwd: string;
  readonly packageRoot: string;
}

const own = 'superoffload';

/**
 * The words that start this program once more from where the user stands. In a clone, or a project that has it, no
 * shell finds a plain `superoffload`: npx does, and starts the link in a `node_modules/.bin`.
 */
export function startWords(start: Start): string {
  const isInClone = `${start.cwd}${sep}`.startsWith(`${start.packageRoot}${sep}`);
  const isOfProject = dirname(start.program).endsWith(`${sep}node_modules${sep}.bin`);
  return isInClone || isOfProject ? `npx ${own}` : own;
}

const verbs = commands.map(({ name }) => name).join('|');
const calls = new RegExp(`(?<![\\w/.@-]|npx )${own} (?=(?:${verbs}|help)\\b)`, 'g');

/**
 * Text for a person, with every command of this program in it (hints, examples, what to do next) as it is started here.
 * The one place: all others write `superoffload VERB`.
 */
export function asStarted(text: string, start: Start = thisStart()): string {
  const words = startWords(start);
  return words === own ? text : text.replaceAll(calls, `${words} `);
}

/** What goes to stdout: JSON is for programs, and stays as it is. */
export function resultAsStarted(text: string, start?: Start): string {
  return /^[[{]/.test(text) ? text : asStarted(text, start);
}

let known: Start | undefined;

function thisStart(): Start {
  known ??= { program: process.argv[1] ?? '', cwd: process.cwd(), packageRoot: packageRoot() };
  return known;
}
