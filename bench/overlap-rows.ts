import type { Case } from '../src/core/experiment/case.ts';
import { groupBy } from '../src/core/collections/group-by.ts';
import { settingWords } from '../src/core/experiment/setting-words.ts';
import { settingKey } from '../src/core/figures/ablation/places.ts';
import { parameterCount } from '../src/core/model/shape.ts';
import { isAbLaunch } from '../src/core/results/ab-launch.ts';
import type { RunRecord } from '../src/core/results/record.ts';
import { summarizeCases, type CaseSummary } from '../src/core/results/summarize.ts';
import type { Source } from './overlap-runs.ts';

/** A setting of one call, all its launches together. */
export interface Row {
  readonly source: string;
  readonly subject: Case;
  readonly launches: readonly RunRecord[];
  readonly summary: CaseSummary;
}

/** What a call measured, by size; the plain zero_offload first, the others as they first ran. */
export function rowsOf({ name, records }: Source): Row[] {
  const own = records.filter(
    (record) => record.case !== null && !isAbLaunch(record) && record.abandoned === undefined,
  );
  const groups = groupBy(own, ({ case: subject }) => (subject === null ? '' : settingKey(subject)));
  const rows = [...groups.values()].flatMap((launches): Row[] => {
    const subject = launches[0]?.case ?? null;
    const [summary] = summarizeCases(launches.map((record) => ({ ...record, caseId: 'one' })));
    return subject === null || summary === undefined ? [] : [{ source: name, subject, launches, summary }];
  });
  return rows.sort((a, b) => order(a) - order(b) || Number(isPlainOffload(b)) - Number(isPlainOffload(a)));
}

function order({ subject }: Row): number {
  return subject.chips * 1e15 + parameterCount(subject.model, 0) + subject.sequenceLength;
}

/** The row that its ratio is taken against; null where it is that row, or there is none. */
export function baselineOf(row: Row, rows: readonly Row[]): Row | null {
  const wanted = comparedKey(row.subject);
  const found = rows.find((other) => isPlainOffload(other) && comparedKey(other.subject) === wanted);
  return found === undefined || found === row ? null : found;
}

/** What two rows must have in common for a ratio. */
export function comparedKey({ model, chips, globalBatch, sequenceLength, dtype }: Case): string {
  return [model.layers, model.hidden, model.heads, chips, globalBatch, sequenceLength, dtype].join(' ');
}

/** What a ratio is taken against: as published, and nothing set. */
export function isPlainOffload({ subject }: Row): boolean {
  return subject.mode === 'zero_offload' && settingWords(subject) === '';
}
