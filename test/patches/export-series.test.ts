import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exportSeries } from '../../scripts/export-series.ts';

let root: string;
let repo: string;
let folder: string;

const git = (...args: string[]): string =>
  execFileSync(
    'git',
    ['-c', 'user.name=t', '-c', 'user.email=t@localhost', '-c', 'core.autocrlf=false', ...args],
    {
      cwd: repo,
      encoding: 'utf8',
    },
  ).trim();
const commit = (message: string): string => {
  git('add', '--all');
  git('commit', '--quiet', '--message', message);
  return git('rev-parse', 'HEAD');
};
const put = (path: string, text: string): void => {
  writeFileSync(join(repo, path), text);
};
const writeHead = (more: object): void => {
  const head = {
    schemaVersion: 1,
    upstream: 'megatron',
    title: 'A series',
    patches: [],
    overlay: [],
    ...more,
  };
  writeFileSync(join(folder, 'series.json'), JSON.stringify(head));
};
const series = (): { patches: Record<string, unknown>[]; overlay: unknown[] } =>
  JSON.parse(readFileSync(join(folder, 'series.json'), 'utf8')) as never;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'export-'));
  repo = join(root, 'repo');
  folder = join(root, 'patches');
  mkdirSync(repo);
  mkdirSync(folder);
  git('init', '--quiet');
  put('a.py', 'one\ntwo\nthree\n');
  put('b.py', 'one\r\ntwo\r\n');
  writeHead({ commits: [commit('as published')] });
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

test('commits become patches that make the same files', () => {
  const base = git('rev-parse', 'HEAD');
  put('a.py', 'one\n2\nthree\n');
  commit(
    'Two is a number\n\nA word cannot\nbe counted.\n\nThread: https://example.org/1\nWhen: torch>=2.6,<3\nWhen: apex=overlay',
  );
  put('a.py', 'one\n2\nthree\nfour\n');
  commit('Four\n\nIt follows.\n\nWhen: apex=overlay\nWhen: torch>=2.6,<3');
  put('b.py', 'one\r\n2\r\n');
  put('new.py', 'new\n');
  commit('Line ends: kept!\n\nCarriage returns are content.');
  mkdirSync(join(folder, 'overlay', 'deep'), { recursive: true });
  writeFileSync(join(folder, 'overlay', 'deep', 'own.py'), 'own\n');
  writeFileSync(join(folder, '0009-of-yesterday.patch'), '');
  writeHead({
    commits: [base],
    overlay: [{ path: 'deep/own.py', reason: 'Ours.', when: { apex: 'overlay' } }],
  });
  exportSeries(repo, `${base}..HEAD`, folder);

  const names = readdirSync(folder).filter((name) => name.endsWith('.patch'));
  expect(names).toEqual(['0001-two-is-a-number.patch', '0002-four.patch', '0003-line-ends-kept-.patch']);
  const { patches, overlay } = series();
  const when = { apex: 'overlay', torch: '>=2.6,<3' };
  expect(patches[0]).toMatchObject({
    title: 'Two is a number',
    reason: 'A word cannot be counted.',
    thread: 'https://example.org/1',
    when,
    files: [
      { path: 'a.py', before: git('rev-parse', `${base}:a.py`), after: git('rev-parse', 'HEAD~2:a.py') },
    ],
  });
  expect(patches[1]).toMatchObject({ thread: null, when });
  expect(patches[2]).not.toHaveProperty('when');
  expect(patches[2]).toMatchObject({ files: [{ path: 'b.py' }, { path: 'new.py', before: null }] });
  expect(overlay).toEqual([
    {
      path: 'deep/own.py',
      reason: 'Ours.',
      when: { apex: 'overlay' },
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    },
  ]);

  const expected = git('rev-parse', 'HEAD^{tree}');
  git('checkout', '--quiet', '--detach', base);
  for (const name of names) git('apply', '--unidiff-zero', '--index', join(folder, name));
  expect(git('write-tree')).toBe(expected);
});

const refused: [string, () => string, RegExp][] = [
  ['another base', () => 'HEAD~1..HEAD', /begins at [0-9a-f]{40}, and series.json is made for/],
  [
    'two conditions for one file',
    () => {
      put('a.py', '1\ntwo\nthree\n');
      commit('One\n\nWhy.');
      put('a.py', '1\n2\nthree\n');
      commit('Two\n\nWhy.\n\nWhen: apex=build');
      return 'HEAD~2..HEAD';
    },
    /0001-one\.patch and 0002-two\.patch change a\.py under different conditions/,
  ],
  [
    'a removed file',
    () => {
      rmSync(join(repo, 'a.py'));
      commit('Gone\n\nWhy.');
      return 'HEAD~1..HEAD';
    },
    /removes a\.py/,
  ],
  [
    'no reason',
    () => {
      put('a.py', '');
      commit('Empty');
      return 'HEAD~1..HEAD';
    },
    /has no reason/,
  ],
  [
    'an unknown condition',
    () => {
      put('a.py', '');
      commit('Empty\n\nWhy.\n\nWhen: numpy>=2');
      return 'HEAD~1..HEAD';
    },
    /When: numpy>=2: expected apex=overlay/,
  ],
  [
    'an overlay file without an entry',
    () => {
      mkdirSync(join(folder, 'overlay'));
      writeFileSync(join(folder, 'overlay', 'own.py'), '');
      put('a.py', '');
      commit('Empty\n\nWhy.');
      return 'HEAD~1..HEAD';
    },
    /give each a path and a reason in series\.json: own\.py/,
  ],
];

test.each(refused)('%s is refused, and nothing is written', (name, prepare, message) => {
  if (name === 'another base') {
    put('a.py', '1\n');
    commit('A\n\nWhy.');
    put('a.py', '2\n');
    commit('B\n\nWhy.');
  }
  const before = readFileSync(join(folder, 'series.json'), 'utf8');
  const range = prepare();
  expect(() => {
    exportSeries(repo, range, folder);
  }).toThrow(message);
  expect(readFileSync(join(folder, 'series.json'), 'utf8')).toBe(before);
  expect(readdirSync(folder).filter((file) => file.endsWith('.patch'))).toEqual([]);
});
