import { archiveSchemaVersion, readManifest, type ArchiveManifest } from '../../core/archive/manifest.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { ArchiveItem } from './archive-items.ts';
import type { ExportReport } from './export-runs.ts';

/**
 * The manifest of an archive that is to be written.
 * @throws SuperOffloadError 'usage' where no import would take it, before anything is written.
 */
export function writtenManifest(
  { archive, runs, tags }: Pick<ExportReport, 'archive' | 'runs' | 'tags'>,
  items: readonly ArchiveItem[],
  tool: string,
): ArchiveManifest {
  const manifest: ArchiveManifest = {
    schemaVersion: archiveSchemaVersion,
    kind: 'superoffload-archive',
    tool,
    runs: runs.map(({ runId, title, lock, hiddenSecrets }) => ({ runId, title, lock, hiddenSecrets })),
    ...(tags.length === 0 ? {} : { tags }),
    files: items.map(({ path, bytes, sha256 }) => ({ path, bytes, sha256 })),
  };
  const read = readManifest(manifest);
  if (read.ok) return manifest;
  throw new SuperOffloadError({
    code: 'usage',
    message: read.problems.map((problem) => `${archive} could not be read again: ${problem}`).join('\n'),
    hint: 'export fewer runs into each archive: superoffload runs export RUN... --archive FILE.tar.gz',
  });
}
