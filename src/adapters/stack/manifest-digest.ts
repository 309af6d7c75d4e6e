import { createHash } from 'node:crypto';
import { createReadStream, readlinkSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { algorithmOf } from '../../core/stack/drift.ts';

export interface DigestProgress {
  readonly files: number;
  readonly bytes: number;
}

export interface DigestOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told after every file, and within large ones after every block. */
  readonly onProgress?: ((done: DigestProgress) => void) | undefined;
}

interface Job {
  readonly path: string;
  readonly size: number;
  readonly algorithms: readonly string[];
}

/** Up to this a file is read whole and hashed by a thread of the pool; above it, block by block by this one. */
const wholeBytes = 4 * 2 ** 20;
const blockBytes = 2 ** 20;
const lanes = 3;

/**
 * Reads files and takes their digests: large ones one after the other in this thread, small ones beside them in the
 * thread pool. 1 GB/s and core was measured, so that the disk decides where the files are not in memory.
 * @param wanted which algorithms, by path: `sha256`, `sha384`, `sha512` (base64url), `sha256-hex`, `git-blob`, `link`.
 * @returns digests by path; a file that is not there, or cannot be read, is absent.
 */
export async function digestFiles(
  wanted: ReadonlyMap<string, readonly string[]>,
  { signal, onProgress }: DigestOptions = {},
): Promise<Map<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  const done = { files: 0, bytes: 0 };
  const tell = (bytes: number, files: number): void => {
    done.bytes += bytes;
    done.files += files;
    onProgress?.(done);
  };
  const queues = queuesOf(wanted, found);
  const work = async (queue: Job[]): Promise<void> => {
    for (let job = queue.pop(); job !== undefined; job = queue.pop()) {
      signal?.throwIfAborted();
      const digests = await digestFile(job, (bytes) => {
        signal?.throwIfAborted();
        tell(bytes, 0);
      }).catch((error: unknown) => {
        if (signal?.aborted === true) throw error;
        return undefined;
      });
      if (digests !== undefined) found.set(job.path, digests);
      tell(0, 1);
    }
  };
  await Promise.all([work(queues.large), ...Array.from({ length: lanes }, () => work(queues.small))]);
  return found;
}

/** A folder in place of a file is a link to one, of which only the target counts. */
function queuesOf(
  wanted: ReadonlyMap<string, readonly string[]>,
  found: Map<string, readonly string[]>,
): { readonly large: Job[]; readonly small: Job[] } {
  const [large, small]: [Job[], Job[]] = [[], []];
  for (const [path, algorithms] of wanted) {
    const size = sizeOf(path);
    if (size === undefined) {
      const target = linkTarget(path);
      if (target !== undefined) found.set(path, [`link=${target}`]);
    } else {
      const job = { path, size, algorithms };
      (size > wholeBytes ? large : small).push(job);
    }
  }
  return { large, small };
}

/** @returns bytes; undefined for a folder, and for what leads nowhere. */
function sizeOf(path: string): number | undefined {
  try {
    const stat = statSync(path);
    return stat.isDirectory() ? undefined : stat.size;
  } catch {
    return undefined;
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

async function digestFile(job: Job, onBytes: (bytes: number) => void): Promise<string[]> {
  const { path, size } = job;
  const algorithms = job.algorithms.filter((algorithm) => algorithm !== 'link');
  // It was a link to a folder, and is a file now.
  if (algorithms.length === 0) return ['link='];
  if (size <= wholeBytes) {
    const content = await readFile(path);
    onBytes(content.length);
    return Promise.all(algorithms.map((algorithm) => digestWhole(content, algorithm)));
  }
  const hashes = algorithms.map((algorithm) => ({ algorithm, hash: startHash(algorithm, size) }));
  for await (const block of createReadStream(path, { highWaterMark: blockBytes })) {
    for (const { hash } of hashes) hash.update(block as Buffer);
    onBytes((block as Buffer).length);
  }
  return hashes.map(({ algorithm, hash }) => `${algorithm}=${hash.digest(encodingOf(algorithm))}`);
}

async function digestWhole(content: Buffer, algorithm: string): Promise<string> {
  if (algorithm !== 'sha256') {
    const hash = startHash(algorithm, content.length).update(content);
    return `${algorithm}=${hash.digest(encodingOf(algorithm))}`;
  }
  const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(content));
  return `sha256=${Buffer.from(digest).toString('base64url')}`;
}

function startHash(algorithm: string, size: number) {
  // git-hash-object(1): the id of a file is that of a header and its content.
  if (algorithm === 'git-blob') return createHash('sha1').update(`blob ${size}\0`);
  return createHash(algorithm === 'sha256-hex' ? 'sha256' : algorithm);
}

function encodingOf(algorithm: string): 'hex' | 'base64url' {
  return algorithm === 'git-blob' || algorithm === 'sha256-hex' ? 'hex' : 'base64url';
}

/** @returns the algorithms of digests, each once. */
export function algorithmsOf(digests: readonly string[]): string[] {
  return [...new Set(digests.map(algorithmOf))];
}
