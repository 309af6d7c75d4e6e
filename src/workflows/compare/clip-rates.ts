import { join } from 'node:path';
import { LogTail } from '../../adapters/log-tail.ts';
import type { NamedSet } from '../../core/compare/compare.ts';
import { createFold } from '../../core/logs/fold.ts';
import { clipRateOf } from '../../core/results/build-record.ts';
import type { FoundRecord } from '../../core/results/record-set.ts';
import { runFiles } from '../../core/results/run-files.ts';

/** Logs of megabytes are read for it: of no more runs than a person looks at one by one. */
const maxLogs = 50;

/** Records of before the clip rate was kept get it from the log, where gradients were clipped and the log is there. */
export function withClipRates(set: NamedSet): NamedSet {
  const lacking = set.records.filter(isLacking).slice(-maxLogs);
  if (lacking.length === 0) return set;
  const wanted = new Set(lacking);
  return { ...set, records: set.records.map((found) => (wanted.has(found) ? withClipRate(found) : found)) };
}

function isLacking({ record: { case: subject, clipRate }, folder }: FoundRecord): boolean {
  return folder !== null && clipRate === undefined && subject !== null && subject.gradientClipping > 0;
}

function withClipRate(found: FoundRecord): FoundRecord {
  const fold = createFold();
  for (const line of new LogTail(join(found.folder ?? '', runFiles.log)).end()) fold.push(line);
  return { ...found, record: { ...found.record, clipRate: clipRateOf(found.record.case, fold.state) } };
}
