import { describe, expect, it } from 'vitest';
import { contentDrifts, describeDrifts, placeDrifts } from '../../../src/core/stack/drift.ts';
import {
  isManifest,
  packageOf,
  parseRecord,
  type ManifestRoot,
  type PackageEntry,
  type StackManifest,
} from '../../../src/core/stack/manifest.ts';
import { runtimeFacts } from '../../../src/core/stack/runtime-facts.ts';
import { wheelContentText, wheelFile } from '../../../src/core/stack/wheels.ts';

describe('a RECORD', () => {
  it('is read with quotes, other algorithms, and both kinds of line ends', () => {
    const text = [
      'a/b.py,sha256=AbC-_9,12',
      '"a/x, ""y"".txt",sha384=zz,0',
      '../../../bin/tool,sha256=q,',
      'a/__pycache__/b.cpython-311.pyc,,',
      'a-1.dist-info/RECORD,,',
      '',
    ];
    const expected = [
      { path: 'a/b.py', digest: 'sha256=AbC-_9' },
      { path: 'a/x, "y".txt', digest: 'sha384=zz' },
      { path: '../../../bin/tool', digest: 'sha256=q' },
    ];
    expect(parseRecord(text.join('\n'))).toEqual(expected);
    expect(parseRecord(text.join('\r\n'))).toEqual(expected);
  });

  it.each([
    ['numpy-2.4.6.dist-info', 'numpy', '2.4.6', true],
    ['torch-2.11.0+cu130.dist-info', 'torch', '2.11.0+cu130', true],
    ['nvidia_nccl_cu13-2.30.7.dist-info', 'nvidia_nccl_cu13', '2.30.7', true],
    ['python_apt-2.6.0-py3.11.egg-info', 'python_apt', '2.6.0', false],
    ['python-dateutil-2.9.egg-info', 'python-dateutil', '2.9', false],
  ])('%s is %s %s', (entry, name, version, isWheel) => {
    expect(packageOf(entry)).toEqual({ name, version, isWheel });
  });

  it.each(['numpy', 'numpy.libs', 'dist-info', 'numpy.dist-info'])('%s is no package', (entry) => {
    expect(packageOf(entry)).toBeUndefined();
  });
});

describe('what a package came from', () => {
  const lines = [
    { path: 'a/b.py', digest: 'sha256=1' },
    { path: 'a-1.dist-info/METADATA', digest: 'sha256=2' },
  ];

  it('does not depend on who installed it, where and in which order', () => {
    const more = ['INSTALLER', 'REQUESTED', 'direct_url.json', 'uv_build.json'].map((name) => ({
      path: `a-1.dist-info/${name}`,
      digest: 'sha256=3',
    }));
    const script = { path: '../../../bin/a', digest: 'sha256=4' };
    expect(wheelContentText([script, ...more, ...[...lines].reverse()])).toBe(wheelContentText(lines));
    expect(wheelContentText([...lines, { path: 'a/c.py', digest: 'sha256=5' }])).not.toBe(
      wheelContentText(lines),
    );
  });

  it('names the downloaded file only where that is certain', () => {
    const accepted = (hashes: string[]) => [{ name: 'a-b', version: '1', marker: null, via: [], hashes }];
    const named = { name: 'A_b', version: '1' };
    expect(wheelFile(named, null, accepted(['sha256:1']))).toBe('sha256:1');
    expect(wheelFile(named, null, accepted(['sha256:1', 'sha256:2']))).toBeNull();
    expect(wheelFile({ ...named, version: '2' }, null, accepted(['sha256:1']))).toBeNull();
    expect(wheelFile(named, { archive_info: { hashes: { sha256: '9' } } }, [])).toBe('sha256:9');
    expect(wheelFile(named, { dir_info: { editable: true } }, [])).toBeNull();
  });

  it("adds the machine's side", () => {
    const machine = { gpus: [], cuda: { nvcc: null, version: '13.0' }, kernel: '6.1' };
    expect(runtimeFacts({ nccl: '2.30.7', cudnn: null }, machine)).toEqual({
      ...{ nccl: '2.30.7', cudnn: null, driver: null, cudaToolkit: '13.0', kernel: '6.1' },
    });
  });
});

describe('drift', () => {
  const entry = (name: string, version: string): PackageEntry => ({
    ...{
      path: `${name}-${version}.dist-info/RECORD`,
      size: 1,
      mtimeNs: '1',
      mode: 0o644,
      digest: 'sha256=1',
    },
    ...{ name, version, hasRecord: true },
  });
  const root: ManifestRoot = {
    ...{ kind: 'packages', directory: '/site', label: 'site-packages', commit: null },
    ...{ packages: [entry('a_b', '1')], files: [], patched: [], names: [] },
  };
  const manifest: StackManifest = {
    ...{ schemaVersion: 1, directory: '/stack', lockHash: 'h', searchPath: [], files: [], roots: [root] },
  };

  it('compares names of packages as the package index does, and sees two versions side by side', () => {
    const now = (packages: { name: string; version: string }[]) =>
      placeDrifts(manifest, { roots: [{ commit: null, packages, added: [] }], startup: [] }, 'h');
    expect(now([{ name: 'A-B', version: '1' }])).toEqual([]);
    expect(
      now([
        { name: 'a_b', version: '2' },
        { name: 'a_b', version: '1' },
      ]),
    ).toEqual([{ place: 'package a-b in site-packages', expected: 'version 1', found: 'version 1 and 2' }]);
  });

  it('wants every digest that is known of a file', () => {
    const expected = new Map([['/x', { place: 'x', digests: ['sha256=1', 'git-blob=2'] }]]);
    expect(contentDrifts(expected, new Map([['/x', ['sha256=1', 'git-blob=2']]]))).toEqual([]);
    expect(contentDrifts(expected, new Map([['/x', ['sha256=1', 'git-blob=3']]]))).toEqual([
      { place: 'x', expected: 'git-blob=2', found: 'git-blob=3' },
    ]);
    expect(contentDrifts(expected, new Map())).toEqual([
      { place: 'x', expected: 'sha256=1', found: 'missing, or not readable' },
    ]);
  });

  it('lists the first 20 and counts the rest', () => {
    const drifts = Array.from({ length: 23 }, (_, index) => ({
      ...{ place: `p${index}`, expected: 'this', found: 'that' },
    }));
    const lines = describeDrifts(drifts);
    expect(lines).toHaveLength(21);
    expect(lines[0]).toBe('p0: that (expected this)');
    expect(lines.at(-1)).toBe('... and 3 more');
    expect(describeDrifts(drifts.slice(0, 20))).toHaveLength(20);
  });

  it('believes only manifests that it can read', () => {
    expect(isManifest(manifest)).toBe(true);
    for (const value of [
      undefined,
      null,
      'x',
      {},
      { ...manifest, schemaVersion: 2 },
      { ...manifest, roots: null },
    ]) {
      expect(isManifest(value)).toBe(false);
    }
  });
});
