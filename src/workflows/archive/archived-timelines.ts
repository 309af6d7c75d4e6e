import { parseArchivePath } from '../../core/archive/archive-path.ts';
import { runFiles } from '../../core/results/run-files.ts';
import type { Context } from '../context.ts';
import { jsonOrNull, visitArchive, wholeText } from './archive-contents.ts';

/**
 * The timelines in an archive of runs, by the run's id: JSON that nobody has looked at yet. They lie before the logs,
 * which are not read.
 * @throws SuperOffloadError 'usage' where there is no such file, 'config' where it is no archive of runs or damaged.
 */
export async function readArchivedTimelines(
  context: Context,
  path: string,
): Promise<ReadonlyMap<string, unknown>> {
  const timelines = new Map<string, unknown>();
  let left = 0;
  await visitArchive(context, path, {
    begin: async ({ files }) => {
      left = files.filter((file) => runWithTimeline(file.path) !== null).length;
      return Promise.resolve();
    },
    file: async (file, content) => {
      const runId = runWithTimeline(file.path);
      if (runId === null) return left > 0;
      left -= 1;
      timelines.set(runId, jsonOrNull(await wholeText(content())));
      return left > 0;
    },
  });
  return timelines;
}

function runWithTimeline(path: string): string | null {
  const parsed = parseArchivePath(path);
  return parsed?.kind === 'run' && parsed.file === runFiles.timeline ? parsed.runId : null;
}
