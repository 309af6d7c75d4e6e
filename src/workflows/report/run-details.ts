import { logBytes, readLosses, readRunFolder } from '../../adapters/report-sources.ts';
import type { RunDetails } from '../../core/report/report-data.ts';
import { createFolderReader, fullRuns } from '../../core/report/run-details.ts';
import type { FoundRecord } from '../../core/results/record-set.ts';
import { runFiles } from '../../core/results/run-files.ts';
import type { RunTexts } from '../archive/archived-texts.ts';
import type { Context } from '../context.ts';

/** A longer log is not read again for a curve: the record has its first and its last loss. */
const maxLogBytes = 4e6;
/** Of all logs of one report: at 100 MB/s a second or two. */
const maxTotalBytes = 200e6;

/**
 * Reads what a run's page shows beside its record, and says where a log was too long for it.
 * @param runs in the whole report
 * @param archived what archives hold of runs without a folder
 */
export function createDetailReader(
  context: Context,
  runs: number,
  archived: ReadonlyMap<string, RunTexts>,
): (found: FoundRecord) => Promise<RunDetails> {
  const detailsOf = createFolderReader(runs);
  let total = 0;
  return async ({ record, folder }) => {
    const brief = runs > fullRuns;
    const none = { brief, losses: [], lossNote: null };
    if (folder === null) {
      const texts = archived.get(record.runId);
      if (texts === undefined) return { ...none, configuration: { kind: 'none' }, files: [] };
      const [plan, config] = [runFiles.plan, runFiles.deepspeedConfig].map((name) => texts.get(name) ?? null);
      return {
        ...detailsOf(record.runId, { plan: plan ?? null, config: config ?? null, names: [] }),
        ...none,
      };
    }
    const details = detailsOf(record.runId, await readRunFolder(folder));
    const bytes = record.lastLoss === null || brief ? null : await logBytes(folder);
    if (bytes === null) return { ...details, ...none };
    if (bytes > maxLogBytes || total + bytes > maxTotalBytes) {
      const lossNote = `not drawn: the log has ${(bytes / 1e6).toFixed(1)} MB`;
      return { ...details, ...none, lossNote };
    }
    total += bytes;
    const losses = await readLosses(folder, context.signal);
    return { ...details, ...none, losses: losses.length > 1 ? losses : [] };
  };
}
