/** How much an archive may unpack to: one that says more than it can mean must not fill a disk or the memory. */

/** Of everything that is read as a whole: the manifest, a record. */
export const maxWholeBytes = 64 * 1024 ** 2;

/**
 * Of one kind of file that is read as a whole of every run, such as all records: JSON of some small values takes twenty
 * times as much in memory as in its file. 20,000 records have about 200 MiB.
 */
export const maxTogetherBytes = 256 * 1024 ** 2;

/** Of a stack's lock: a list of packages. Every run that names it gets a copy of it. */
export const maxLockBytes = 4 * 1024 ** 2;

/** A tar entry costs a header, its padding, and for a long path a pax header with its own: 4 KiB at most. */
const entryOverheadBytes = 4096;
/** Both null blocks and the padding of a record of 20 blocks. */
const endBytes = 64 * 1024;

/** Logs compress by up to about 60 (gzip) and some hundred (zstd); what gives more was made for it. */
const plausibleRatio = 200;
const alwaysAllowedBytes = 1024 ** 3;

/**
 * What an archive may unpack to, bytes.
 * @param askedGiB `--max-size`; null for what an archive of this size can mean
 */
export function allowedBytes(archiveBytes: number, askedGiB: number | null): number {
  return askedGiB === null
    ? Math.max(alwaysAllowedBytes, archiveBytes * plausibleRatio)
    : askedGiB * 1024 ** 3;
}

/** The whole tar stream of files of this size, bytes: what goes on after it is none of what the manifest lists. */
export function streamBytes(fileBytes: readonly number[], manifestBytes: number): number {
  const sum = fileBytes.reduce((total, bytes) => total + bytes, manifestBytes);
  return sum + (fileBytes.length + 1) * entryOverheadBytes + endBytes;
}
