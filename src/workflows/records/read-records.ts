import { join } from 'node:path';
import { SuperOffloadError } from '../../errors.ts';
import { readRecord } from '../../adapters/stored-runs.ts';
import { listRunIds, runsFolder } from '../../adapters/run-store.ts';
import type { RecordSet } from '../../core/results/record-set.ts';
import type { Context } from '../context.ts';

/**
 * Reads stored results from what `--from` and its like name: `runs` (all of the state folder), a run's id, a tag, a
 * campaign, a folder of runs, a record's file, an archive.
 * @param sources none means `runs`
 * @throws SuperOffloadError 'usage' with every source that is nothing of the kind.
 */
export async function readRecords(context: Context, sources: readonly string[]): Promise<RecordSet> {
  const notes: string[] = [];
  const records = [];
  for (const source of sources.length === 0 ? ['runs'] : sources) {
    if (source !== 'runs') throw new SuperOffloadError({ code: 'usage', message: `no such source: ${source}` });
    for (const runId of await listRunIds(context.home)) {
      const record = readRecord(context.home, runId);
      if (record === null) notes.push(`run ${runId} has no record yet`);
      else if (record instanceof SuperOffloadError) notes.push(record.message);
      else records.push({ record, source, folder: join(runsFolder(context.home), runId) });
    }
  }
  return { records, notes };
}
