import { describe, expect, it } from 'vitest';
import { archivedRunFile } from '../../../src/core/archive/manifest.ts';
import { runFiles } from '../../../src/core/results/run-files.ts';
import { itemOf, type ArchiveItem } from '../../../src/workflows/archive/archive-items.ts';
import { writtenManifest } from '../../../src/workflows/archive/written-manifest.ts';

const runId = '20260102T030405Z-a-0001';
const run = {
  ...{ runId, title: 'a', lock: null, hiddenSecrets: 0 },
  ...{ files: 2, bytes: 0, redacted: [], leftOut: [] },
};
const report = { archive: '/a.tar.gz', runs: [run], tags: [] };

function fileOf(name: string, mebibytes: number): ArchiveItem {
  return { ...itemOf(archivedRunFile(runId, name), '{}', 0), bytes: mebibytes * 1024 ** 2 };
}

describe('an archive that is to be written', () => {
  it('is refused where no import would take it, with how to export so much', () => {
    const items = (mebibytes: number): ArchiveItem[] => [
      fileOf(runFiles.record, 1),
      fileOf(runFiles.timeline, mebibytes),
    ];
    expect(writtenManifest(report, items(256), '0.1.0').files).toHaveLength(2);
    expect(() => writtenManifest(report, items(257), '0.1.0')).toThrow(
      '/a.tar.gz could not be read again: its 1 files timeline.json have 257 MiB together; 256 MiB at most',
    );
  });
});
