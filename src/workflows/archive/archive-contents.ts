import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { readArchive, type UnpackedEntry } from '../../adapters/archive.ts';
import { manifestPath } from '../../core/archive/archive-path.ts';
import { maxWholeBytes, streamBytes } from '../../core/archive/limits.ts';
import { readManifest, shown, type ArchivedFile, type ArchiveManifest } from '../../core/archive/manifest.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';

/** What a reader of archives does with what it finds. */
export interface ArchiveVisitor {
  /** Called once, before anything else, with a manifest that can be relied on. */
  readonly begin: (manifest: ArchiveManifest) => Promise<void>;
  /**
   * Called with every file that the manifest lists. Its size is that of the manifest; the sha256 is checked once the
   * content was read to its end.
   * @returns false when it needs no more of the archive
   */
  readonly file: (file: ArchivedFile, content: () => AsyncIterable<Buffer>) => Promise<boolean>;
  readonly onBytes?: (bytes: number) => void;
}

/** Of a hostile archive not every fault needs to be told. */
const maxFaults = 10;

/**
 * Reads an archive of runs from its beginning, and believes nothing of it: what the manifest does not list, what is
 * no plain file, and what is not as the manifest says is refused.
 * @throws SuperOffloadError 'config' with what is wrong; what was handed out before then must not be kept.
 */
export async function visitArchive(context: Context, path: string, visitor: ArchiveVisitor): Promise<void> {
  const file = resolve(context.cwd, path);
  const reading = new Reading(file, visitor);
  await readArchive(file, (entry) => reading.take(entry), {
    env: context.env,
    signal: context.signal,
    maxBytes: () => reading.maxBytes,
    ...(visitor.onBytes === undefined ? {} : { onBytes: visitor.onBytes }),
  });
  reading.end();
}

/** Where the reading of one archive is. */
class Reading {
  maxBytes = streamBytes([], maxWholeBytes);
  readonly #path: string;
  readonly #visitor: ArchiveVisitor;
  /** Those that have not come yet. */
  readonly #awaited = new Map<string, ArchivedFile>();
  readonly #faults: string[] = [];
  #manifest: ArchiveManifest | null = null;
  #isEnough = false;

  constructor(path: string, visitor: ArchiveVisitor) {
    this.#path = path;
    this.#visitor = visitor;
  }

  async take(entry: UnpackedEntry): Promise<boolean> {
    if (this.#manifest === null) {
      await this.#begin(entry);
      return true;
    }
    const file = this.#awaited.get(entry.path);
    const fault = entryFault(entry, file, this.#manifest);
    if (fault !== null || file === undefined) {
      this.#fault(fault ?? shown(entry.path));
      entry.skip();
      return true;
    }
    this.#awaited.delete(entry.path);
    // After the first fault nothing of it is of use; what else is wrong is still told.
    if (this.#faults.length > 0) entry.skip();
    else this.#isEnough = !(await this.#hand(file, entry));
    return !this.#isEnough;
  }

  async #begin(entry: UnpackedEntry): Promise<void> {
    if (entry.path !== manifestPath || entry.type !== 'File') {
      throw refusal(this.#path, [`it does not begin with ${manifestPath} but with ${shown(entry.path)}`]);
    }
    const text = await wholeText(entry.content());
    const read = readManifest(jsonOrNull(text));
    if (!read.ok) {
      const hint = read.isNewer ? 'use the superoffload that wrote it, or a newer one' : undefined;
      throw refusal(this.#path, read.problems, hint);
    }
    this.#manifest = read.manifest;
    for (const file of read.manifest.files) this.#awaited.set(file.path, file);
    this.maxBytes = streamBytes(
      read.manifest.files.map(({ bytes }) => bytes),
      text.length,
    );
    await this.#visitor.begin(read.manifest);
  }

  async #hand(file: ArchivedFile, entry: UnpackedEntry): Promise<boolean> {
    const hash = createHash('sha256');
    const state = { isRead: false };
    const content = async function* (): AsyncGenerator<Buffer> {
      for await (const chunk of entry.content()) {
        hash.update(chunk);
        yield chunk;
      }
      state.isRead = true;
    };
    const isWanted = await this.#visitor.file(file, content);
    if (!state.isRead) entry.skip();
    else if (hash.digest('hex') !== file.sha256)
      this.#fault(`${shown(file.path)}: not the content that the manifest says`);
    return isWanted;
  }

  #fault(fault: string): void {
    this.#faults.push(fault);
    if (this.#faults.length >= maxFaults) throw refusal(this.#path, [...this.#faults, 'and maybe more']);
  }

  /** @throws SuperOffloadError 'config' with all that was wrong. */
  end(): void {
    if (this.#manifest === null) throw refusal(this.#path, ['it is empty']);
    if (!this.#isEnough) {
      for (const path of [...this.#awaited.keys()].slice(0, maxFaults)) {
        this.#faults.push(`${shown(path)} is listed but is not there`);
      }
    }
    if (this.#faults.length > 0) throw refusal(this.#path, this.#faults);
  }
}

/** @returns why an entry is not taken; null where it is as the manifest says. */
function entryFault(
  { path, type, bytes }: UnpackedEntry,
  file: ArchivedFile | undefined,
  { files }: ArchiveManifest,
): string | null {
  if (type !== 'File') return `${shown(path)} is no plain file (${type})`;
  if (file === undefined) {
    const isListed = files.some((each) => each.path === path);
    return isListed ? `${shown(path)} is there twice` : `${shown(path)} is not in its manifest`;
  }
  return bytes === file.bytes ? null : `${shown(path)} has ${bytes} bytes; its manifest says ${file.bytes}`;
}

function refusal(path: string, problems: readonly string[], hint?: string): SuperOffloadError {
  return new SuperOffloadError({
    code: 'config',
    message: problems.map((problem) => `${path}: ${problem}`).join('\n'),
    hint:
      hint ?? 'nothing of it was kept; archives are made by: superoffload runs export --archive FILE.tar.gz',
  });
}

/** @throws SuperOffloadError 'config' beyond {@link maxWholeBytes}. */
export async function wholeText(content: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of content) {
    total += chunk.length;
    if (total > maxWholeBytes) {
      const message = `a file of the archive is larger than the ${maxWholeBytes / 1024 ** 2} MiB that a manifest or a record may have`;
      throw new SuperOffloadError({ code: 'config', message });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
