import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readSeries } from '../../../src/adapters/patches/series-folder.ts';
import type { SeriesRequest } from '../../../src/adapters/patches/look.ts';
import type { EngineOptions } from '../../../src/adapters/patches/engine.ts';
import type { SeriesFile } from '../../../src/core/patches/series.schema.ts';
import { selectPatches } from '../../../src/core/patches/series.ts';
import type { PatchFacts } from '../../../src/core/patches/series.ts';
import { git, newFolder, plainEnv, read, snapshot, write } from './git-tree.ts';

const numbered = (name: string): string =>
  Array.from({ length: 30 }, (_, index) => `${name} line ${index + 1}\n`).join('');

/** A repository with two modules and a program. */
function makeUpstream(folder: string): void {
  mkdirSync(folder, { recursive: true });
  git(folder, 'init', '-q');
  write(folder, 'pkg/one.py', numbered('one'));
  write(folder, 'pkg/deep/two.py', numbered('two'));
  write(folder, 'run.sh', `#!/bin/sh\n${numbered('# run')}`, 0o755);
  write(folder, 'README', numbered('read me'));
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'upstream');
}

interface Edit {
  readonly name: string;
  readonly edit: (tree: string) => void;
  readonly when?: SeriesFile['patches'][number]['when'];
}

/** Replaces one line of a file. */
export const replaceLine =
  (path: string, from: string, to: string) =>
  (tree: string): void => {
    const text = read(tree, path);
    if (!text.includes(`${from}\n`)) throw new Error(`${path} has no ${from}`);
    writeFileSync(join(tree, path), text.replace(`${from}\n`, `${to}\n`));
  };

export const sampleEdits: readonly Edit[] = [
  { name: '0001-one.patch', edit: replaceLine('pkg/one.py', 'one line 3', 'one changed 3   ') },
  {
    name: '0002-one-and-two.patch',
    edit: (tree) => {
      replaceLine('pkg/one.py', 'one line 20', 'one changed 20\none added 20')(tree);
      replaceLine('pkg/deep/two.py', 'two line 1', 'two changed 1')(tree);
    },
  },
  { name: '0003-run.patch', edit: replaceLine('run.sh', '# run line 30', 'echo patched') },
  {
    name: '0004-new.patch',
    edit: (tree) => {
      write(tree, 'pkg/extra/new.py', 'def added():\n    return 1\n');
    },
  },
];

const sampleOverlay: Readonly<Record<string, string>> = {
  'apex/__init__.py': 'overlay = True\n',
  'apex/optimizers/__init__.py': 'class Adam: pass\n',
};

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

/** Writes a series folder; blob ids and patches are those of the real git. */
export function makeSeries(
  folder: string,
  upstream: string,
  {
    edits = sampleEdits,
    overlay = sampleOverlay,
    head = {},
  }: {
    readonly edits?: readonly Edit[];
    readonly overlay?: Readonly<Record<string, string>>;
    readonly head?: Partial<SeriesFile>;
  } = {},
): SeriesFile {
  mkdirSync(folder, { recursive: true });
  const work = newFolder();
  git(work, 'clone', '-q', upstream, 'tree');
  const tree = join(work, 'tree');
  const patches = edits.map(({ name, edit, when }): SeriesFile['patches'][number] => {
    edit(tree);
    git(tree, 'add', '-A');
    git(tree, 'commit', '-q', '-m', name);
    const text = execFileSync('git', ['diff', '-U0', '--full-index', '--no-ext-diff', 'HEAD~1', 'HEAD'], {
      ...{ cwd: tree, env: plainEnv },
    });
    writeFileSync(join(folder, name), text);
    const raw = git(tree, 'diff', '--raw', '--no-abbrev', '--no-renames', 'HEAD~1', 'HEAD')
      .trim()
      .split('\n');
    const files = raw.map((line) => {
      const [facts = '', path = ''] = line.split('\t');
      const [, , before = '', after = ''] = facts.split(' ');
      return { path, before: /^0+$/.test(before) ? null : before, after };
    });
    const condition = when === undefined ? {} : { when };
    return {
      file: name,
      title: name,
      reason: 'a test',
      thread: null,
      ...condition,
      files,
      sha256: sha256(text),
    };
  });
  for (const [path, text] of Object.entries(overlay)) write(join(folder, 'overlay'), path, text);
  const series: SeriesFile = {
    ...{ schemaVersion: 1, upstream: 'megatron', title: 'a series of the tests' },
    commits: [git(upstream, 'rev-parse', 'HEAD').trim()],
    patches,
    overlay: Object.entries(overlay).map(([path, text]) => ({
      path,
      reason: 'a test',
      sha256: sha256(text),
    })),
    ...head,
  };
  writeFileSync(join(folder, 'series.json'), JSON.stringify(series));
  return series;
}

const sampleFacts = (commit: string): PatchFacts => ({
  ...{ commit, version: null, torch: '2.15.0+cpu', deepspeed: '0.19.8', apex: 'overlay' as const },
});

export async function requestOf(folder: string, facts: PatchFacts): Promise<SeriesRequest> {
  const series = await readSeries(folder);
  if (series === undefined) throw new Error(`no series in ${folder}`);
  const selected = selectPatches(series.series, facts, series.place);
  if (!selected.ok) throw new Error(JSON.stringify(selected.faults));
  return { series, selection: selected.selection, facts };
}

export interface Sample {
  /** Holds the tree and nothing else. */
  readonly home: string;
  readonly tree: string;
  readonly upstream: string;
  readonly seriesFolder: string;
  readonly series: SeriesFile;
  readonly request: SeriesRequest;
  /** What the tree is before and after patching; the latter made by git alone. */
  readonly before: Record<string, string>;
  readonly after: Record<string, string>;
}

type SampleOptions = NonNullable<Parameters<typeof makeSeries>[2]>;

let template: string | undefined;

/** An upstream, a series for it, and a clone to patch: made once, copied for each test. */
export async function makeSample(options?: SampleOptions): Promise<Sample> {
  const folder = newFolder();
  if (options !== undefined) build(folder, options);
  else {
    if (template === undefined) build((template = newFolder()), {});
    cpSync(template, folder, { recursive: true });
  }
  const upstream = join(folder, 'upstream');
  const seriesFolder = join(folder, 'series');
  const home = join(folder, 'home');
  const tree = join(home, 'megatron');
  const series = JSON.parse(read(seriesFolder, 'series.json')) as SeriesFile;
  const request = await requestOf(seriesFolder, sampleFacts(series.commits?.[0] ?? ''));
  const [before, after] = [snapshot(tree), snapshot(join(folder, 'patched'))];
  return { home, tree, upstream, seriesFolder, series, request, before, after };
}

function build(folder: string, options: SampleOptions): void {
  const upstream = join(folder, 'upstream');
  makeUpstream(upstream);
  makeSeries(join(folder, 'series'), upstream, options);
  const tree = join(folder, 'home', 'megatron');
  mkdirSync(dirname(tree));
  git(folder, 'clone', '-q', upstream, tree);
  const patched = join(folder, 'patched');
  cpSync(tree, patched, { recursive: true });
  for (const { edit } of options.edits ?? sampleEdits) edit(patched);
  for (const [path, text] of Object.entries(options.overlay ?? sampleOverlay)) write(patched, path, text);
}

export function options(onStep: EngineOptions['onStep'] = () => undefined): EngineOptions {
  return { signal: new AbortController().signal, path: process.env['PATH'], onStep };
}
