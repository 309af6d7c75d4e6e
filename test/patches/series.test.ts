import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { megatronCommit, patches, upstreamSource } from './sources.ts';

interface Series {
  readonly commits?: readonly string[];
  readonly patches: readonly {
    readonly file: string;
    readonly title: string;
    readonly sha256: string;
    readonly files: readonly { readonly path: string; readonly after: string }[];
  }[];
  readonly overlay: readonly { readonly path: string; readonly sha256: string }[];
}

const read = (upstream: string): Series =>
  JSON.parse(readFileSync(join(patches, upstream, 'series.json'), 'utf8')) as Series;
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

describe.each(['megatron', 'deepspeed'])('the series for %s', (upstream) => {
  const series = read(upstream);

  test('has the hashes of its files', () => {
    for (const { file, sha256: hash } of series.patches)
      expect(sha256(join(patches, upstream, file)), file).toBe(hash);
    for (const { path, sha256: hash } of series.overlay)
      expect(sha256(join(patches, upstream, 'overlay', path)), path).toBe(hash);
  });

  test('is explained patch by patch in patches/README.md', () => {
    const readme = readFileSync(join(patches, 'README.md'), 'utf8');
    for (const { title } of series.patches) expect(readme).toContain(title);
  });
});

const source = upstreamSource('megatron');
const missing = 'path' in source ? null : source.missing;

test.skipIf(missing !== null)(
  `the series for megatron makes the recorded files of the commit${missing === null ? '' : ` (skipped: ${missing})`}`,
  { timeout: 600_000 },
  () => {
    if (!('path' in source)) return;
    const series = read('megatron');
    expect(series.commits).toEqual([megatronCommit]);
    const tree = mkdtempSync(join(tmpdir(), 'series-'));
    const git = (...args: string[]): string => execFileSync('git', args, { cwd: tree, encoding: 'utf8' });
    try {
      git('clone', '--quiet', '--no-checkout', '--shared', source.path, '.');
      git('checkout', '--quiet', '--detach', megatronCommit);
      const blobs = new Map<string, string>();
      for (const { file, files } of series.patches) {
        git('apply', '--unidiff-zero', join(patches, 'megatron', file));
        for (const { path, after } of files) blobs.set(path, after);
      }
      for (const [path, blob] of blobs) expect(git('hash-object', path).trim(), path).toBe(blob);
      const changed = git('diff', '--name-only').trim().split('\n');
      expect(changed.sort()).toEqual([...blobs.keys()].sort());
      const tracked = new Set(git('ls-files').split('\n'));
      for (const { path } of series.overlay) expect(tracked.has(path), path).toBe(false);
      const python = series.overlay.map(({ path }) => join(patches, 'megatron', 'overlay', path));
      const compile = 'import ast, sys; [ast.parse(open(f).read(), f) for f in sys.argv[1:]]';
      execFileSync('python3', [
        '-c',
        compile,
        ...python,
        ...[...blobs.keys()].map((path) => join(tree, path)),
      ]);
    } finally {
      rmSync(tree, { recursive: true, force: true });
    }
  },
);
