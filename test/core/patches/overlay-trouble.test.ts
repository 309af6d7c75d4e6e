import { describe, expect, it } from 'vitest';
import { overlayTrouble } from '../../../src/core/patches/overlay-trouble.ts';
import type { SeriesFile } from '../../../src/core/patches/series.schema.ts';
import type { UpstreamLock } from '../../../src/core/stack/lock.ts';

const sha = (digit: string): string => digit.repeat(64);
const series: SeriesFile = {
  ...{ schemaVersion: 1, upstream: 'deepspeed', title: 'DeepSpeed', versions: ['0.19.8'] },
  patches: [
    {
      ...{ file: '0001-hook.patch', title: 'hook', reason: 'a hook', thread: null, sha256: sha('1') },
      files: [{ path: 'engine.py', before: null, after: 'a'.repeat(40) }],
    },
  ],
  overlay: [
    { path: 'b.py', reason: 'b', sha256: sha('2') },
    { path: 'a.py', reason: 'a', sha256: sha('3') },
  ],
};
const patches: NonNullable<UpstreamLock['patches']> = {
  ...{ seriesSha256: sha('9'), skipped: [], files: [] },
  applied: [{ file: '0001-hook.patch', sha256: sha('1') }],
  overlay: [
    { path: 'a.py', sha256: sha('3') },
    { path: 'b.py', sha256: sha('2') },
  ],
};
const upstream: UpstreamLock = {
  ...{ url: null, ref: null, commit: null, version: '0.19.8', directory: '/site-packages' },
  ...{ dirtyDiffSha256: null, tree: sha('4'), patches },
};
type Stack = Parameters<typeof overlayTrouble>[0];
const stack = (change: Partial<Stack> = {}): Stack => ({
  ...{ name: 'pip', origin: 'private', torch: { version: '2.15.0', cuda: null }, apex: null },
  ...{ deepspeed: { version: '0.19.8' }, upstreams: { deepspeed: upstream } },
  ...change,
});
const of = (change: Partial<UpstreamLock>): Stack =>
  stack({ upstreams: { deepspeed: { ...upstream, ...change } } });

describe('overlayTrouble', () => {
  it('is none where every patch and every file of the overlay is this one, in whatever order', () => {
    expect(overlayTrouble(stack(), series)).toBeNull();
    // The series was reworded: the files are the same.
    expect(overlayTrouble(of({ patches: { ...patches, seriesSha256: sha('8') } }), series)).toBeNull();
  });

  it.each<[string, Stack, RegExp, string]>([
    [
      'patches that were reverted',
      of({ patches: null }),
      /stack "pip" does not have: the patches are not applied$/,
      'run: superoffload patch --stack pip',
    ],
    [
      'an overlay of another superoffload',
      of({ patches: { ...patches, overlay: [{ path: 'a.py', sha256: sha('7') }] } }),
      /its patches are those of another superoffload$/,
      'run: superoffload patch --stack pip',
    ],
    [
      'a hook of another superoffload',
      of({ patches: { ...patches, applied: [{ file: '0001-hook.patch', sha256: sha('7') }] } }),
      /its patches are those of another superoffload$/,
      'run: superoffload patch --stack pip',
    ],
    [
      'a stack from before there were patches',
      stack({ upstreams: {} }),
      /the patches are not applied$/,
      'run: superoffload install --stack pip --reinstall',
    ],
    [
      'the DeepSpeed of a Python that is not its own',
      stack({ origin: 'adopted', upstreams: {} }),
      /its DeepSpeed is that of the adopted Python, which is left as it is$/,
      'run: superoffload install --stack pip --reinstall, without --python',
    ],
    [
      'another version',
      stack({ deepspeed: { version: '0.18.0' }, upstreams: {} }),
      /its DeepSpeed is 0\.18\.0, and the patches are for 0\.19\.8$/,
      'run: superoffload install --stack pip --deepspeed 0.19.8 --reinstall',
    ],
    [
      'a fork',
      stack({
        name: 'fork',
        upstreams: { deepspeed: { ...upstream, commit: 'c'.repeat(40), patches: null } },
      }),
      /stack "fork" does not have: its DeepSpeed comes from a repository/,
      'use --stack pip (run: superoffload install --stack pip), which has DeepSpeed 0.19.8',
    ],
  ])('names the command that mends %s', (_, subject, message, hint) => {
    const trouble = overlayTrouble(subject, series);
    expect(trouble?.message).toMatch(message);
    expect(trouble?.hint).toBe(hint);
  });
});
