import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeIndex } from '../../core/dataset/indexed.ts';
import { SyntheticText, type SyntheticRequest } from '../../core/dataset/synthetic.ts';
import { makeFolder, storageError } from '../files.ts';

/** 1 Mi tokens a piece: some ten milliseconds between two looks at the signal. */
const pieceTokens = 2 ** 20;

/**
 * Writes PREFIX.bin and PREFIX.idx: both aside, then the .bin and last the .idx take their names. Who finds the .idx
 * finds all of it; two who write the same at the same time do not disturb each other.
 * @throws SuperOffloadError 'environment' on a full disk; the signal's reason when it is aborted. Nothing is left then.
 */
export async function writeSynthetic(
  prefix: string,
  request: SyntheticRequest,
  ctx: { readonly signal: AbortSignal; readonly onTokens?: (tokens: number) => void },
): Promise<void> {
  const aside = join(dirname(prefix), `.${basename(prefix)}.${randomBytes(4).toString('hex')}`);
  try {
    await makeFolder(dirname(prefix));
    const text = new SyntheticText(request);
    await writePieces(`${aside}.bin`, synthesize(text, ctx));
    await writePieces(`${aside}.idx`, [writeIndex(text.type, text.documentTokens)]);
    await rename(`${aside}.bin`, `${prefix}.bin`);
    await rename(`${aside}.idx`, `${prefix}.idx`);
  } catch (error) {
    await Promise.all(
      ['bin', 'idx'].map((end) => rm(`${aside}.${end}`, { force: true }).catch(() => undefined)),
    );
    throw storageError(error, prefix);
  }
}

async function* synthesize(
  text: SyntheticText,
  ctx: { readonly signal: AbortSignal; readonly onTokens?: (tokens: number) => void },
): AsyncGenerator<Uint8Array> {
  let tokens = 0;
  for (let piece = text.next(pieceTokens); piece !== null; piece = text.next(pieceTokens)) {
    ctx.signal.throwIfAborted();
    yield piece;
    tokens += piece.length / (text.type === 'uint16' ? 2 : 4);
    ctx.onTokens?.(tokens);
    // Signals and the reporter get their turn.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function writePieces(
  path: string,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, 'wx');
  try {
    for await (const piece of pieces) await file.writeFile(piece);
    await file.sync();
  } finally {
    await file.close();
  }
}
