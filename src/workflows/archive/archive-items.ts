import { createHash } from 'node:crypto';
import type { PackedFile } from '../../adapters/archive.ts';

/** A file of the archive before it is packed. */
export interface ArchiveItem extends PackedFile {
  readonly sha256: string;
}

/** A text as a file of the archive. */
export function itemOf(path: string, text: string, mtimeS: number): ArchiveItem {
  const content = Buffer.from(text);
  return {
    path,
    bytes: content.length,
    sha256: createHash('sha256').update(content).digest('hex'),
    mtimeS,
    content: async function* () {
      yield Promise.resolve(content);
    },
  };
}
