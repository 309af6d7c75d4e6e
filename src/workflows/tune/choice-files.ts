import { readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { sha256 } from '../../adapters/campaign-store.ts';
import { storageError, writeTextAtomic } from '../../adapters/files.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { TunePlan } from './plan-tune.ts';
import type { SizePlan } from './size-plans.ts';

/** Where the choice of a size goes, as the user stands to it. */
export interface ChoicePaths {
  /** The DeepSpeed JSON. */
  readonly config: string;
  /** The command, and what the JSON does not hold. */
  readonly note: string;
}

/** @returns paths relative to the folder the user stands in, where they lie below it */
export function choicePaths(context: Context, { command }: TunePlan, { name }: SizePlan): ChoicePaths {
  const folder = resolve(context.cwd, command.out);
  const short = (file: string): string => {
    const path = relative(context.cwd, join(folder, file));
    return path.startsWith('..') ? join(folder, file) : path;
  };
  return { config: short(`${name}.json`), note: short(`${name}.txt`) };
}

/**
 * Sees to it that the choice can be written before hours go into it.
 * @throws SuperOffloadError 'usage' where a file is there that this tuning did not write, or that was changed since.
 */
export async function requireOwnFiles(context: Context, plan: TunePlan): Promise<void> {
  if (plan.command.force) return;
  const problems: string[] = [];
  for (const size of plan.sizes) {
    const paths = choicePaths(context, plan, size);
    const [config, note] = await Promise.all([textOf(context, paths.config), textOf(context, paths.note)]);
    if (config === null && note === null) continue;
    const [, key, digest] = stamp.exec(note ?? '') ?? [];
    if (key === undefined) problems.push(`${config === null ? paths.note : paths.config} is not of a tuning`);
    else if (key !== size.key) problems.push(`${paths.config} is of another tuning`);
    else if (config !== null && digestOf(config) !== digest)
      problems.push(`${paths.config} was changed since it was written`);
  }
  if (problems.length === 0) return;
  throw new SuperOffloadError({
    code: 'usage',
    message: `${problems.join('\n')}\nnothing was started`,
    hint: 'choose another folder with --out, or overwrite with --force',
  });
}

/** Which tuning wrote the files, and what it wrote. */
const stamp = /^# tuning ([0-9a-f]{16}), config ([0-9a-f]{16})$/m;

/**
 * Writes the JSON, and beside it how it is used. The JSON comes last: whoever sees it sees its own note.
 * @param lines of the note, without comment signs
 */
export async function writeChoice(
  context: Context,
  paths: ChoicePaths,
  { size, config, lines, command }: ChoiceText,
): Promise<void> {
  const comments = [...lines, `tuning ${size.key}, config ${digestOf(config)}`].map((line) => `# ${line}`);
  await writeTextAtomic(resolve(context.cwd, paths.note), `${[...comments, command].join('\n')}\n`);
  await writeTextAtomic(resolve(context.cwd, paths.config), config);
}

export interface ChoiceText {
  readonly size: SizePlan;
  /** The DeepSpeed JSON's text. */
  readonly config: string;
  readonly lines: readonly string[];
  readonly command: string;
}

function digestOf(text: string): string {
  return sha256(text).slice(0, 16);
}

async function textOf({ cwd }: Context, path: string): Promise<string | null> {
  try {
    return await readFile(resolve(cwd, path), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (code === 'ENOTDIR') {
      throw new SuperOffloadError({
        code: 'usage',
        message: `--out: ${path} cannot be made, a part of its path is a file\nnothing was started`,
        hint: 'choose another folder with --out',
      });
    }
    throw storageError(error, path);
  }
}
