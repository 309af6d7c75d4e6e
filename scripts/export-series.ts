/**
 * Writes a patch series from the commits of a repository: `tsx scripts/export-series.ts REPO BASE..HEAD patches/NAME`.
 *
 * Every commit is one patch without context: its subject is the title, its body the reason, and the trailers
 * `Thread: URL` and `When: apex=overlay` or `When: torch>=2.6` say more. patches/NAME/series.json keeps its head (title,
 * commits or versions) and the path, reason and condition of its overlay files; everything else in it is made here.
 * See patches/README.md.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

type When = Readonly<Record<string, string>>;

interface Patch {
  readonly file: string;
  readonly title: string;
  readonly reason: string;
  readonly thread: string | null;
  readonly when?: When;
  readonly files: readonly { path: string; before: string | null; after: string }[];
  readonly sha256: string;
}

interface OverlayFile {
  readonly path: string;
  readonly reason: string;
  readonly when?: When;
  readonly sha256?: string;
}

interface Series {
  readonly commits?: readonly string[];
  readonly patches: readonly Patch[];
  readonly overlay: readonly OverlayFile[];
}

/**
 * @param repo a git work tree, or a package's folder made into one
 * @param range BASE..HEAD; its commits in order, without merges
 * @param folder patches/NAME, with a series.json that has a head, and perhaps overlay/
 * @throws Error where a commit cannot be a patch, or the head and the folder disagree
 */
export function exportSeries(repo: string, range: string, folder: string): void {
  const head = JSON.parse(readFileSync(join(folder, 'series.json'), 'utf8')) as Series;
  const git = (...args: string[]): string =>
    execFileSync('git', ['-C', repo, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const base = git('rev-parse', '--verify', `${range.split('..')[0] ?? ''}^{commit}`).trim();
  if (head.commits !== undefined && !head.commits.includes(base))
    throw new Error(`${range} begins at ${base}, and series.json is made for ${head.commits.join(', ')}`);

  const commits = git('rev-list', '--reverse', '--no-merges', range).split('\n').filter(Boolean);
  const made = commits.map((commit, i) => makePatch(git, commit, i + 1));
  sameConditions(made.map(({ patch }) => patch));
  const overlay = overlayFiles(folder, head.overlay);

  for (const name of readdirSync(folder)) if (name.endsWith('.patch')) rmSync(join(folder, name));
  for (const { patch, text } of made) writeFileSync(join(folder, patch.file), text);
  const series = { ...head, patches: made.map(({ patch }) => patch), overlay };
  writeFileSync(join(folder, 'series.json'), `${JSON.stringify(series, null, 2)}\n`);
}

function makePatch(
  git: (...args: string[]) => string,
  commit: string,
  number: number,
): { patch: Patch; text: string } {
  const message = git('log', '-1', '--format=%B', commit).trim();
  const [title = '', ...rest] = message.split('\n');
  const trailers = rest.filter((line) => /^(Thread|When): /.test(line));
  const reason = rest
    .filter((line) => !trailers.includes(line))
    .join(' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (reason === '') throw new Error(`${commit} (${title}) has no reason: write one into its body`);
  const thread = trailers.find((line) => line.startsWith('Thread: '))?.slice(8) ?? null;
  const when = condition(trailers.filter((line) => line.startsWith('When: ')).map((line) => line.slice(6)));

  const parent = `${commit}^`;
  const how = ['--no-renames', '--full-index', '--no-color', '--no-ext-diff', '--no-textconv'];
  const raw = git('diff-tree', '-r', '-z', '--no-renames', '--full-index', parent, commit).split('\0');
  const files = [];
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const [mode = '', newMode = '', before = '', after = ''] = (raw[i] ?? '').slice(1).split(' ');
    const path = raw[i + 1] ?? '';
    if (/^0+$/.test(after))
      throw new Error(`${commit} removes ${path}: a series changes and adds files only`);
    if (mode !== newMode && !/^0+$/.test(before)) throw new Error(`${commit} changes the mode of ${path}`);
    files.push({ path, before: /^0+$/.test(before) ? null : before, after });
  }
  if (files.length === 0) throw new Error(`${commit} (${title}) changes nothing`);

  const text = git(
    '-c',
    'diff.noprefix=false',
    '-c',
    'diff.mnemonicPrefix=false',
    'diff',
    ...how,
    '-U0',
    parent,
    commit,
  );
  const file = `${String(number).padStart(4, '0')}-${title.toLowerCase().replaceAll(/[^a-z0-9.]+/g, '-')}.patch`;
  const conditional = when === undefined ? {} : { when };
  return { patch: { file, title, reason, thread, ...conditional, files, sha256: sha256(text) }, text };
}

/** `apex=overlay` or `torch>=2.6,<2.12`, one a line; undefined: always. */
function condition(lines: readonly string[]): When | undefined {
  if (lines.length === 0) return undefined;
  const entries = lines.map((line): [string, string] => {
    const parts = /^(apex)=(overlay|build)$|^(torch|deepspeed)([<>].*)$/.exec(line);
    if (parts === null)
      throw new Error(`When: ${line}: expected apex=overlay, apex=build, torch>=X or deepspeed>=X`);
    return [parts[1] ?? parts[3] ?? '', parts[2] ?? parts[4] ?? ''];
  });
  return Object.fromEntries(entries.sort(([a], [b]) => a.localeCompare(b)));
}

/**
 * A blob id before a patch holds for one history of the file only, so all its patches apply or none does. Histories of
 * other versions of a package are told apart (scripts/place-series.ts).
 */
function sameConditions(patches: readonly Patch[]): void {
  const first = new Map<string, Patch>();
  for (const patch of patches) {
    for (const { path } of patch.files) {
      const other = first.get(path) ?? patch;
      first.set(path, other);
      const [one, two] = [other, patch].map(({ when }) => JSON.stringify({ ...when, deepspeed: '' }));
      if (one !== two)
        throw new Error(`${other.file} and ${patch.file} change ${path} under different conditions`);
    }
  }
}

function overlayFiles(folder: string, known: readonly OverlayFile[]): OverlayFile[] {
  const root = join(folder, 'overlay');
  const found = listFiles(root);
  const missing = known.filter(({ path }) => !found.includes(path)).map(({ path }) => path);
  const unknown = found.filter((path) => !known.some((entry) => entry.path === path));
  if (missing.length > 0)
    throw new Error(`series.json names overlay files that are not there: ${missing.join(', ')}`);
  if (unknown.length > 0)
    throw new Error(`give each a path and a reason in series.json: ${unknown.join(', ')}`);
  return known.map((entry) => ({ ...entry, sha256: sha256(readFileSync(join(root, entry.path))) }));
}

function listFiles(root: string, below = ''): string[] {
  let entries;
  try {
    entries = readdirSync(join(root, below), { withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .flatMap((entry) => {
      if (entry.name === '__pycache__') return [];
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      return entry.isDirectory() ? listFiles(root, path) : [path];
    })
    .sort();
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

if (process.argv[1] === import.meta.filename) {
  const [repo, range, folder] = process.argv.slice(2);
  if (repo === undefined || range === undefined || folder === undefined)
    throw new Error('usage: tsx scripts/export-series.ts REPO BASE..HEAD patches/NAME');
  exportSeries(repo, range, folder);
}
