/**
 * Megatron's indexed data set, PREFIX.bin and PREFIX.idx (MMapIndexedDataset in megatron/data/indexed_dataset.py).
 * The .bin is all tokens, one sequence after the other. The .idx, little-endian: magic (9 bytes), version (uint64),
 * token type (uint8), sequences (uint64), entries of the document index (uint64), tokens of each sequence (int32),
 * byte where each begins (int64), and the document index: sequences before each document, then all (int64).
 */

/** Types of numpy by Megatron's codes; the floating ones (6, 7) never hold tokens. */
export const tokenTypes = {
  uint8: { code: 1, bytes: 1 },
  int8: { code: 2, bytes: 1 },
  int16: { code: 3, bytes: 2 },
  int32: { code: 4, bytes: 4 },
  int64: { code: 5, bytes: 8 },
  uint16: { code: 8, bytes: 2 },
} as const satisfies Record<string, { readonly code: number; readonly bytes: number }>;

export type TokenType = keyof typeof tokenTypes;

export interface DatasetIndex {
  readonly type: TokenType;
  readonly sequences: number;
  readonly documents: number;
  readonly tokens: number;
  /** What the .bin must have. */
  readonly binBytes: number;
  /** Tokens of each document, in order. */
  readonly documentTokens: Float64Array;
}

export type IndexReading =
  | { readonly ok: true; readonly index: DatasetIndex }
  /** Every problem that was found, each a clause about the file. */
  | { readonly ok: false; readonly problems: readonly string[] };

export const indexMagic = 'MMIDIDX\0\0';
const headerBytes = 34;

/** Reads a whole .idx. */
export function readIndex(bytes: Uint8Array): IndexReading {
  const foreign = foreignMagic(bytes);
  if (foreign !== null) return { ok: false, problems: [foreign] };
  if (bytes.length < headerBytes) {
    return { ok: false, problems: [`is cut: ${bytes.length} bytes, and its header takes ${headerBytes}`] };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const { problems, type, sequences, entries } = readHeader(view);
  if (type === undefined || problems.length > 0) return { ok: false, problems };
  const lengths = readLengths(view, sequences);
  problems.push(...lengths.problems, ...pointerProblems(view, lengths.values, tokenTypes[type].bytes));
  const starts = readDocumentIndex(view, sequences, entries);
  problems.push(...starts.problems);
  if (problems.length > 0) return { ok: false, problems };
  const tokens = lengths.values.reduce((sum, length) => sum + length, 0);
  const documentTokens = perDocument(lengths.values, starts.values);
  const binBytes = tokens * tokenTypes[type].bytes;
  return {
    ok: true,
    index: { type, sequences, documents: documentTokens.length, tokens, binBytes, documentTokens },
  };
}

/** What else it is, where the magic is not an index's. */
function foreignMagic(bytes: Uint8Array): string | null {
  const head = String.fromCharCode(...bytes.subarray(0, 40));
  if (head.startsWith(indexMagic)) return null;
  if (bytes.length === 0) return 'is empty';
  if (head.startsWith('version https://git-lfs'))
    return 'is a Git LFS pointer: the file itself was not fetched';
  if (head.startsWith('TNTIDX')) {
    return "is an index of Megatron's older, unmapped format (TNTIDX; expected MMIDIDX: --dataset-impl mmap)";
  }
  if (bytes.length < indexMagic.length && indexMagic.startsWith(head))
    return `is cut after ${bytes.length} bytes`;
  return 'is not an index of Megatron (it does not begin with MMIDIDX)';
}

function readHeader(view: DataView): {
  problems: string[];
  type: TokenType | undefined;
  sequences: number;
  entries: number;
} {
  const problems: string[] = [];
  const version = view.getBigUint64(9, true);
  if (version !== 1n) problems.push(`has version ${version.toString()} (expected 1)`);
  const code = view.getUint8(17);
  const type = (Object.keys(tokenTypes) as TokenType[]).find((name) => tokenTypes[name].code === code);
  if (type === undefined) {
    const known = Object.entries(tokenTypes).map(([name, known]) => `${known.code} ${name}`);
    const what = code === 6 || code === 7 ? 'floating point, which no token is' : 'unknown';
    problems.push(`has type code ${code}, ${what} (expected ${known.join(', ')})`);
  }
  const sequences = Number(view.getBigUint64(18, true));
  const entries = Number(view.getBigUint64(26, true));
  const expected = headerBytes + sequences * 12 + entries * 8;
  if (view.byteLength !== expected) {
    const how = view.byteLength < expected ? 'is cut' : 'is longer than it says';
    problems.push(
      `${how}: ${view.byteLength} bytes, and ${sequences} sequences with ${entries} entries of documents take ${expected}`,
    );
  }
  return { problems, type, sequences, entries };
}

function readLengths(view: DataView, sequences: number): { values: Int32Array; problems: string[] } {
  const values = Int32Array.from({ length: sequences }, (_, i) => view.getInt32(headerBytes + i * 4, true));
  const negative = values.findIndex((length) => length < 0);
  const problems = negative < 0 ? [] : [`gives sequence ${negative} ${values[negative] ?? 0} tokens`];
  return { values, problems };
}

function pointerProblems(view: DataView, lengths: Int32Array, bytesPerToken: number): string[] {
  const at = headerBytes + lengths.length * 4;
  let expected = 0;
  for (const [i, length] of lengths.entries()) {
    const pointer = Number(view.getBigInt64(at + i * 8, true));
    if (pointer !== expected) {
      return [`says that sequence ${i} begins at byte ${pointer}, and those before it end at ${expected}`];
    }
    expected += length * bytesPerToken;
  }
  return [];
}

function readDocumentIndex(
  view: DataView,
  sequences: number,
  entries: number,
): { values: Float64Array; problems: string[] } {
  const at = headerBytes + sequences * 12;
  const values = Float64Array.from({ length: entries }, (_, i) => Number(view.getBigInt64(at + i * 8, true)));
  const fallsAt = values.findIndex((start, i) => i > 0 && start < (values[i - 1] ?? 0));
  const problems: string[] = [];
  if (entries === 0 || values[0] !== 0) problems.push('has a document index that does not begin with 0');
  else if (fallsAt >= 0) problems.push(`has a document index that falls at entry ${fallsAt}`);
  else if (values[entries - 1] !== sequences) {
    problems.push(`has documents of ${values[entries - 1] ?? 0} sequences, and ${sequences} sequences`);
  }
  return { values, problems };
}

function perDocument(lengths: Int32Array, starts: Float64Array): Float64Array {
  return Float64Array.from({ length: starts.length - 1 }, (_, i) =>
    lengths.subarray(starts[i], starts[i + 1]).reduce((sum, length) => sum + length, 0),
  );
}

/**
 * The .idx of documents that are one sequence each, as GPT data is.
 * @param documentTokens tokens of each, the end-of-document token counted.
 */
export function writeIndex(type: TokenType, documentTokens: ArrayLike<number>): Uint8Array<ArrayBuffer> {
  const count = documentTokens.length;
  const bytes = new Uint8Array(headerBytes + count * 12 + (count + 1) * 8);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < indexMagic.length; i++) bytes[i] = indexMagic.charCodeAt(i);
  view.setBigUint64(9, 1n, true);
  view.setUint8(17, tokenTypes[type].code);
  view.setBigUint64(18, BigInt(count), true);
  view.setBigUint64(26, BigInt(count + 1), true);
  let byte = 0;
  for (let i = 0; i < count; i++) {
    const length = documentTokens[i] ?? 0;
    view.setInt32(headerBytes + i * 4, length, true);
    view.setBigInt64(headerBytes + count * 4 + i * 8, BigInt(byte), true);
    view.setBigInt64(headerBytes + count * 12 + (i + 1) * 8, BigInt(i + 1), true);
    byte += length * tokenTypes[type].bytes;
  }
  return bytes;
}
