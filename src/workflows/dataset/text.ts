import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { requireSpace } from '../../adapters/dataset/disk-space.ts';
import { inspectText, type TextFile } from '../../adapters/dataset/text-file.ts';
import { capture } from '../../adapters/exec.ts';
import { makeFolder, withFileErrors } from '../../adapters/files.ts';
import { writeIndex, type TokenType } from '../../core/dataset/indexed.ts';
import { faultsError, SuperOffloadError, type Fault } from '../../errors.ts';
import type { Context } from '../context.ts';
import { takenFaults, type MakeReport } from './make.ts';
import { asTask } from '../task.ts';
import { tokenizerPython, type TokenizerPython } from './tokenizer-python.ts';

export interface TextOptions {
  readonly texts: readonly string[];
  readonly out: string;
  /** Both or neither; neither: a vocabulary is learned from the text. */
  readonly vocab: string | undefined;
  readonly merges: string | undefined;
  /** Tokens to learn, at most: a short text has fewer. */
  readonly vocabulary: number;
  /** Whose Python has the tokenizer library; undefined: the first stack that has it. */
  readonly stack: string | undefined;
  readonly dryRun: boolean;
}

/** All bytes, and the end of a document. */
const leastVocabulary = 257;

/**
 * Makes OUT/text_document.bin and .idx of files of text, and OUT/vocab.json and merges.txt where they are learned.
 * @throws SuperOffloadError 'usage' with every fault of every file; 'environment' where no stack can tokenize.
 */
export async function makeFromText(ctx: Context, options: TextOptions): Promise<MakeReport> {
  const out = resolve(ctx.cwd, options.out);
  const prefix = join(out, 'text_document');
  const files = await checkedTexts(ctx, options, prefix);
  // A token takes more than one byte of text, and at most four bytes of the .bin.
  requireSpace(out, 2 * files.reduce((sum, { bytes }) => sum + bytes, 0));
  const python = await tokenizerPython(ctx, options.stack);
  const documents = files.reduce((sum, file) => sum + file.documents, 0);
  const vocabFile = options.vocab === undefined ? join(out, 'vocab.json') : resolve(ctx.cwd, options.vocab);
  const mergeFile = options.merges === undefined ? join(out, 'merges.txt') : resolve(ctx.cwd, options.merges);
  const report = {
    schemaVersion: 1,
    isDryRun: options.dryRun,
    prefix,
    documents,
    vocabFile,
    mergeFile,
  } as const;
  if (options.dryRun) return { ...report, tokens: null, vocabulary: null, type: null, entropy: null };
  const aside = join(out, `.text_document.${randomBytes(4).toString('hex')}`);
  try {
    await withFileErrors(out, () => makeFolder(aside));
    const made = await tokenize(ctx, python, {
      texts: files.map(({ path }) => path),
      out: aside,
      vocabulary: options.vocabulary,
      vocab: options.vocab === undefined ? null : vocabFile,
      merges: options.merges === undefined ? null : mergeFile,
    });
    await withFileErrors(out, () => takePlace(aside, out, prefix, made.type, options.vocab === undefined));
    return { ...report, ...made, entropy: null };
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

async function checkedTexts(
  ctx: Context,
  { texts, vocab, merges, vocabulary }: TextOptions,
  prefix: string,
): Promise<TextFile[]> {
  const faults: Fault[] = takenFaults(prefix);
  const isGiven = vocab !== undefined || merges !== undefined;
  if (!isGiven) faults.push(...vocabularyFaults(vocabulary, prefix));
  if ((vocab === undefined) !== (merges === undefined)) {
    const place = vocab === undefined ? '--merges' : '--vocab';
    faults.push({ place, problem: 'is given alone', expected: '--vocab and --merges, or neither' });
  }
  for (const [flag, path] of [['--vocab', vocab] as const, ['--merges', merges] as const]) {
    if (path === undefined || existsSync(resolve(ctx.cwd, path))) continue;
    faults.push({ place: flag, problem: `${path}: there is no such file` });
  }
  const files: TextFile[] = [];
  await asTask(
    ctx,
    { id: 'read', title: `read ${texts.length} file${texts.length === 1 ? '' : 's'} of text` },
    async () => {
      for (const text of texts) {
        const found = await inspectText(resolve(ctx.cwd, text), ctx.signal);
        if ('path' in found) files.push(found);
        else faults.push(...found);
      }
    },
  );
  if (faults.length > 0) throw faultsError('usage', faults);
  return files;
}

function vocabularyFaults(vocabulary: number, prefix: string): Fault[] {
  const least = `${leastVocabulary} or more: every byte and the end of a document`;
  const tooSmall = { place: '--vocab-size', problem: `is ${vocabulary}`, expected: least };
  const names = ['vocab.json', 'merges.txt'].map((name) => join(prefix, '..', name));
  const taken = names
    .filter((path) => existsSync(path))
    .map((path) => ({ place: '--out', problem: `${path} is there already`, expected: 'another folder' }));
  return [...(vocabulary < leastVocabulary ? [tooSmall] : []), ...taken];
}

interface Tokenized {
  readonly documents: number;
  readonly tokens: number;
  readonly vocabulary: number;
  readonly type: TokenType;
}

async function tokenize(ctx: Context, python: TokenizerPython, request: object): Promise<Tokenized> {
  const program = join(ctx.packageRoot, 'experiment/datasets/tokenize_text.py');
  return asTask(ctx, { id: 'tokenize', title: 'tokenize the text' }, async (task) => {
    const ended = await capture([python.path, program], {
      input: JSON.stringify(request),
      env: { ...python.env, PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' },
      signal: ctx.signal,
      onLine: (line) => {
        if (!line.startsWith('{')) task.line(line);
      },
    });
    ctx.signal.throwIfAborted();
    const last = ended.stdout.trim().split('\n').at(-1) ?? '';
    const result = last.startsWith('{') ? (JSON.parse(last) as Tokenized | { readonly error: string }) : null;
    if (ended.exitCode === 0 && result !== null && !('error' in result)) return result;
    const said =
      result !== null && 'error' in result
        ? result.error
        : ended.stderr.trim().split('\n').slice(-5).join('\n');
    const reason = said === '' ? (ended.startError ?? `it ended with ${ended.signal ?? 'no result'}`) : said;
    throw new SuperOffloadError({ code: 'environment', message: `the text cannot be tokenized: ${reason}` });
  });
}

/** The index last: who finds it finds all of it. */
async function takePlace(
  aside: string,
  out: string,
  prefix: string,
  type: TokenType,
  isLearned: boolean,
): Promise<void> {
  const bytes = await readFile(join(aside, 'lengths.bin'));
  const lengths = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32LE(i * 4));
  await writeFile(join(aside, 'index'), writeIndex(type, lengths));
  const names = isLearned ? ['vocab.json', 'merges.txt'] : [];
  for (const name of names) await rename(join(aside, name), join(out, name));
  await rename(join(aside, 'tokens.bin'), `${prefix}.bin`);
  await rename(join(aside, 'index'), `${prefix}.idx`);
}
