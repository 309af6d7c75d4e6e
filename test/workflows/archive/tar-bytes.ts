import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';

/** A raw tar entry: what no honest program writes can be said here. */
export interface RawEntry {
  readonly path: string;
  readonly content?: string | Buffer;
  /** tar's letter: 0 file, 1 hard link, 2 symbolic link, 3 and 4 devices, 5 folder, 6 pipe, x and g pax, S sparse. */
  readonly type?: string;
  readonly linkpath?: string;
  readonly mode?: number;
  /** What the header says, where that is not the truth. */
  readonly bytes?: number;
  readonly badChecksum?: boolean;
}

/** Writes the bytes of POSIX.1-1988 ustar by hand: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html */
export function rawTar(entries: readonly RawEntry[], isEnded = true): Buffer {
  return Buffer.concat([...entries.flatMap(rawEntry), ...(isEnded ? [Buffer.alloc(1024)] : [])]);
}

export function rawArchive(entries: readonly RawEntry[]): Buffer {
  return gzipSync(rawTar(entries));
}

function rawEntry(entry: RawEntry): Buffer[] {
  const { path, type = '0', linkpath = '', mode = 0o644, badChecksum = false } = entry;
  const content = Buffer.from(entry.content ?? '');
  const header = Buffer.alloc(512);
  header.write(path.slice(0, 100), 0, 'latin1');
  header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${(entry.bytes ?? content.length).toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(linkpath, 157);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0) + (badChecksum ? 1 : 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}

/** A pax header that says something else of the entry that follows it. */
export function paxEntry(fields: Readonly<Record<string, string>>, type = 'x'): RawEntry {
  const content = Object.entries(fields)
    .map(([name, value]) => {
      const rest = ` ${name}=${value}\n`;
      let length = Buffer.byteLength(rest) + 1;
      if (String(length).length + Buffer.byteLength(rest) !== length)
        length = String(length).length + Buffer.byteLength(rest);
      return `${length}${rest}`;
    })
    .join('');
  return { path: 'PaxHeader/x', type, content };
}

export function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The manifest of some files, as `runs export` writes it. */
export function manifestEntry(
  runIds: readonly string[],
  files: readonly { readonly path: string; readonly content: string }[],
  change: Readonly<Record<string, unknown>> = {},
): RawEntry {
  const manifest = {
    schemaVersion: 1,
    kind: 'superoffload-archive',
    tool: '0.1.0',
    runs: runIds.map((runId) => ({ runId, title: 'a run', lock: null, hiddenSecrets: 0 })),
    files: files.map(({ path, content }) => ({
      path,
      bytes: Buffer.byteLength(content),
      sha256: sha256(content),
    })),
    ...change,
  };
  return { path: 'manifest.json', content: JSON.stringify(manifest) };
}
