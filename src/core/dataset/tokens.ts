import { tokenTypes, type DatasetIndex, type TokenType } from './indexed.ts';

/** The type that Megatron chooses (`__best_fitting_dtype` in megatron/data/indexed_dataset.py). */
export function tokenTypeFor(vocabulary: number): 'uint16' | 'int32' {
  return vocabulary < 65_500 ? 'uint16' : 'int32';
}

/** Tokens as bytes of a .bin, little-endian. */
export function encodeTokens(type: 'uint16' | 'int32', tokens: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const width = tokenTypes[type].bytes;
  const bytes = new Uint8Array(tokens.length * width);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < tokens.length; i++) {
    if (type === 'uint16') view.setUint16(i * width, tokens[i] ?? 0, true);
    else view.setInt32(i * width, tokens[i] ?? 0, true);
  }
  return bytes;
}

/** The least and the largest token of a piece of a .bin; bytes after the last whole token are left out. */
export function tokenRange(type: TokenType, bytes: Uint8Array): { least: number; largest: number } {
  const width = tokenTypes[type].bytes;
  const read = readers[type];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let least = Number.POSITIVE_INFINITY;
  let largest = Number.NEGATIVE_INFINITY;
  for (let at = 0; at + width <= bytes.length; at += width) {
    const token = read(view, at);
    if (token < least) least = token;
    if (token > largest) largest = token;
  }
  return { least, largest };
}

const readers: Readonly<Record<TokenType, (view: DataView, at: number) => number>> = {
  uint8: (view, at) => view.getUint8(at),
  int8: (view, at) => view.getInt8(at),
  int16: (view, at) => view.getInt16(at, true),
  int32: (view, at) => view.getInt32(at, true),
  int64: (view, at) => Number(view.getBigInt64(at, true)),
  uint16: (view, at) => view.getUint16(at, true),
};

/**
 * What a .bin of this size is to its index.
 * `uncounted-ends`: longer by exactly one token a document. Megatron's tools/preprocess_data.py with --append-eod
 * writes the end-of-document token and does not count it (encode() appends the length of a document before the
 * token); the published gpt2_text_document is such a set. Each document then seems to begin one token earlier than
 * the one before it did. Every reader takes it, and all tokens are text or ends of text.
 */
export function compareBin(
  index: DatasetIndex,
  binBytes: number,
): 'exact' | 'uncounted-ends' | 'short' | 'long' {
  const surplus = binBytes - index.binBytes;
  if (surplus === 0) return 'exact';
  if (surplus < 0) return 'short';
  return surplus === index.documents * tokenTypes[index.type].bytes ? 'uncounted-ends' : 'long';
}
