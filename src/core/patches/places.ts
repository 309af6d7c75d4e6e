/** Where the lines of a patch belong in another version of the upstream: the same text, at other lines. */
import type { SeriesFile } from './series.schema.ts';

type Patch = SeriesFile['patches'][number];

/** One file of a patch in one version of the upstream. */
export interface PlacedFile {
  readonly path: string;
  readonly before: string | null;
  readonly after: string;
  /** Where each hunk of the file begins, of the file before the patch; undefined: where the patch itself says. */
  readonly lines?: readonly number[];
}

/**
 * A patch's files as a version of the upstream has them. Blob ids prove the places: another line, another `after`.
 * @param version of a package; null for a repository, or to get the version that the patch was made from.
 */
export function placedFiles({ files }: Patch, version: string | null): PlacedFile[] {
  return files.map(({ path, before, after, elsewhere = [] }) => {
    const other = elsewhere.find(({ versions }) => version !== null && versions.includes(version));
    if (other === undefined) return { path, before, after };
    return { path, before: other.before, after: other.after, lines: other.lines };
  });
}

const header = /^@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@(.*)$/;

/** A patch without context, with its hunks where `files` have them. */
export function moveHunks(patch: string, files: readonly PlacedFile[]): string {
  const places = new Map(files.map(({ path, lines }) => [path, lines]));
  const at = { path: '', index: 0, shift: 0, left: 0 };
  const move = (text: string): string => {
    const found = at.left > 0 ? null : header.exec(text);
    if (found === null) {
      if (at.left > 0) at.left -= 1;
      else if (text.startsWith('+++ b/')) Object.assign(at, { path: text.slice(6), index: 0, shift: 0 });
      return text;
    }
    const [, stated = '', old = '1', added = '1', rest = ''] = found;
    const line = places.get(at.path)?.[at.index] ?? Number(stated);
    // A side without lines has the number of the line before it.
    const gap = Number(old === '0') - Number(added === '0');
    const to = line + at.shift + gap;
    Object.assign(at, {
      ...{ index: at.index + 1, shift: at.shift + Number(added) - Number(old) },
      left: Number(old) + Number(added),
    });
    return `@@ -${line},${old} +${to},${added} @@${rest}`;
  };
  return patch.split('\n').map(move).join('\n');
}
