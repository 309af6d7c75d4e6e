/**
 * The first byte that is no UTF-8 (RFC 3629, section 4): overlong forms, surrogates, above U+10FFFF, lone or missing
 * continuation bytes.
 * @param isEnd false: more bytes follow, so that a sequence that is cut at the end is no fault.
 * @returns `invalidAt` null where all is well; `pending` bytes at the end belong to a sequence that is not complete.
 */
export function checkUtf8(
  bytes: Uint8Array,
  isEnd: boolean,
): { readonly invalidAt: number | null; readonly pending: number } {
  let at = 0;
  while (at < bytes.length) {
    const [length, low, high] = sequenceOf(bytes[at] ?? 0);
    if (length === 0) return { invalidAt: at, pending: 0 };
    for (let i = 1; i < length; i++) {
      const next = bytes[at + i];
      if (next === undefined) {
        return isEnd ? { invalidAt: at, pending: 0 } : { invalidAt: null, pending: bytes.length - at };
      }
      if (next < (i === 1 ? low : 0x80) || next > (i === 1 ? high : 0xbf))
        return { invalidAt: at, pending: 0 };
    }
    at += length;
  }
  return { invalidAt: null, pending: 0 };
}

/** Length of the sequence that a byte begins, 0 for none, and the range of its second byte. */
function sequenceOf(first: number): readonly [length: number, low: number, high: number] {
  if (first < 0x80) return [1, 0, 0];
  if (first < 0xc2) return [0, 0, 0];
  if (first < 0xe0) return [2, 0x80, 0xbf];
  if (first === 0xe0) return [3, 0xa0, 0xbf];
  if (first === 0xed) return [3, 0x80, 0x9f];
  if (first < 0xf0) return [3, 0x80, 0xbf];
  if (first === 0xf0) return [4, 0x90, 0xbf];
  if (first < 0xf4) return [4, 0x80, 0xbf];
  return first === 0xf4 ? [4, 0x80, 0x8f] : [0, 0, 0];
}
