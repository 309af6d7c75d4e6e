import { fileBytes, isLfsPointer, sha256OfFile } from './data-file.ts';
import type { PublishedFile } from './manifest.ts';

/** How a file compares with its line of the manifest. */
export interface PublishedState {
  readonly state: 'complete' | 'missing' | 'pointer' | 'differs';
  /** What is wrong with it, as a clause about the file; null when nothing is. */
  readonly problem: string | null;
}

/** Compares by size, and by content only where the size is right. */
export async function comparePublished(
  path: string,
  { bytes, sha256 }: PublishedFile,
  signal: AbortSignal,
  onBytes?: (bytes: number) => void,
): Promise<PublishedState> {
  const found = await fileBytes(path);
  if (found === null) return { state: 'missing', problem: 'is missing' };
  if (found !== bytes) {
    if (await isLfsPointer(path)) {
      return { state: 'pointer', problem: 'is a Git LFS pointer: the file itself was not fetched' };
    }
    const how = found < bytes ? 'is cut, or another file' : 'is another file';
    return { state: 'differs', problem: `${how}: ${found} bytes, not ${bytes}` };
  }
  const hash = await sha256OfFile(path, signal, onBytes);
  if (hash === sha256) return { state: 'complete', problem: null };
  return { state: 'differs', problem: `has other content: sha256 ${hash}, not ${sha256}` };
}
