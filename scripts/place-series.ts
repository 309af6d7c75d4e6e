/**
 * Adds a version of a package to a patch series, where the lines of its patches are the same at other places:
 * `tsx scripts/place-series.ts patches/NAME KNOWN OTHER VERSION`.
 *
 * KNOWN is the folder of packages of the version that the patches were made from, OTHER that of VERSION, both as
 * published. Each hunk goes where OTHER has the same lines around it as KNOWN, in one place only. What the patches of
 * this version then make of its files is written into series.json (`elsewhere`), so that `superoffload patch` can prove
 * it; see patches/README.md.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isWithin } from '../src/core/patches/series.ts';
import type { SeriesFile } from '../src/core/patches/series.schema.ts';
import { versionOrder } from '../src/core/stack/version.ts';

interface Hunk {
  /** How many lines of the file come before it. */
  readonly after: number;
  readonly removed: readonly string[];
  readonly added: readonly string[];
}

/**
 * @throws Error where a hunk has no place in OTHER, or several: such a version needs a patch of its own, with `when`
 */
export function placeSeries(folder: string, known: string, other: string, version: string): void {
  const place = join(folder, 'series.json');
  const series = JSON.parse(readFileSync(place, 'utf8')) as SeriesFile;
  const texts = { known: new Map<string, string[]>(), other: new Map<string, string[]>() };
  const linesOf = (where: 'known' | 'other', path: string): string[] => {
    const file = join(where === 'known' ? known : other, path);
    if (!existsSync(file)) throw new Error(`${file} is not there`);
    const lines = texts[where].get(path) ?? readFileSync(file, 'latin1').split('\n');
    texts[where].set(path, lines);
    return lines;
  };
  for (const patch of series.patches) {
    const isFor = patch.when?.deepspeed === undefined || isWithin(version, patch.when.deepspeed);
    const hunks = hunksOf(readFileSync(join(folder, patch.file), 'latin1'));
    for (const file of patch.files) {
      const from = linesOf('known', file.path);
      expectBlob(from, file.before, `${patch.file} is not made from ${known}: ${file.path}`);
      const mine = hunks.get(file.path) ?? [];
      texts.known.set(file.path, changed(from, mine));
      if (!isFor) continue;
      const to = linesOf('other', file.path);
      const moved = mine.map((hunk) => ({
        ...hunk,
        after: placeOf(hunk, from, to, `${patch.file}, ${file.path}`),
      }));
      const next = changed(to, moved);
      texts.other.set(file.path, next);
      const lines = moved.map(({ after, removed }) => after + Number(removed.length > 0));
      Object.assign(file, {
        elsewhere: withPlace(file, { version, lines, before: blobOf(to), after: blobOf(next) }),
      });
      if (file.elsewhere?.length === 0) delete file.elsewhere;
    }
  }
  const versions = [...new Set([...(series.versions ?? []), version])].sort(versionOrder);
  writeFileSync(place, `${JSON.stringify({ ...series, versions }, null, 2)}\n`);
}

type File = SeriesFile['patches'][number]['files'][number];
type Elsewhere = NonNullable<File['elsewhere']>;

/** Versions whose file is the same share an entry; one whose file is that of the patch needs none. */
function withPlace(
  { before, elsewhere = [] }: File,
  found: { readonly version: string } & Omit<Elsewhere[number], 'versions'>,
): Elsewhere {
  const { version, ...at } = found;
  const rest = elsewhere
    .map((entry) => ({ ...entry, versions: entry.versions.filter((each) => each !== version) }))
    .filter(({ versions }) => versions.length > 0);
  if (at.before === before) return rest;
  const same = rest.find((entry) => entry.before === at.before);
  const versions = [...(same?.versions ?? []), version].sort(versionOrder);
  return [...rest.filter((entry) => entry !== same), { versions, ...at }].sort((a, b) =>
    versionOrder(a.versions[0] ?? '', b.versions[0] ?? ''),
  );
}

function hunksOf(patch: string): Map<string, Hunk[]> {
  const files = new Map<string, Hunk[]>();
  for (const section of patch.split(/^(?=diff --git )/m)) {
    const path = /^\+\+\+ b\/(.*)$/m.exec(section)?.[1] ?? '';
    const parts = section.split(/^(?=@@ -)/m).slice(1);
    const hunks = parts.map((part): Hunk => {
      const [first = '', ...lines] = part.split('\n');
      const [, line = '', count = '1'] = /^@@ -(\d+)(?:,(\d+))? /.exec(first) ?? [];
      const of = (sign: string) => lines.filter((text) => text.startsWith(sign)).map((text) => text.slice(1));
      return { after: Number(line) - Number(count !== '0'), removed: of('-'), added: of('+') };
    });
    files.set(path, hunks);
  }
  return files;
}

function changed(lines: readonly string[], hunks: readonly Hunk[]): string[] {
  const next = [...lines];
  for (const { after, removed, added } of [...hunks].reverse()) next.splice(after, removed.length, ...added);
  return next;
}

/** The one place where the lines around a hunk are the same: as many of them as there is such a place for. */
function placeOf(hunk: Hunk, from: readonly string[], to: readonly string[], what: string): number {
  for (let around = 6; around >= 2; around -= 1) {
    for (let above = around; above >= 0; above -= 1) {
      const begin = hunk.after - above;
      const wanted = from.slice(begin, hunk.after + hunk.removed.length + around - above);
      const places = to.map((_, at) => at).filter((at) => wanted.every((line, i) => to[at + i] === line));
      const isTelling = wanted.filter((line) => line.trim() !== '').length > 1;
      if (places.length === 1 && isTelling) return (places[0] ?? 0) + above;
    }
  }
  throw new Error(`${what}: line ${hunk.after} has no place, or several`);
}

function expectBlob(lines: readonly string[], blob: string | null, what: string): void {
  if (blobOf(lines) !== blob)
    throw new Error(`${what} has blob ${blobOf(lines)}, expected ${blob ?? 'none'}`);
}

function blobOf(lines: readonly string[]): string {
  const bytes = Buffer.from(lines.join('\n'), 'latin1');
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

if (process.argv[1] === import.meta.filename) {
  const [folder, known, other, version] = process.argv.slice(2);
  if (folder === undefined || known === undefined || other === undefined || version === undefined)
    throw new Error('usage: tsx scripts/place-series.ts patches/NAME KNOWN OTHER VERSION');
  placeSeries(folder, known, other, version);
}
