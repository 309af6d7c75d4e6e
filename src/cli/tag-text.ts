import { plainText } from '../core/report/plain.ts';
import type { TagChange, TagListing } from '../workflows/records/tags.ts';
import { longTable } from './long-table.ts';

export function tagsTable(tags: readonly TagListing[]): string {
  if (tags.length === 0) return 'no tags yet; make one with: superoffload runs tag NAME RUN...';
  const columns = [
    { title: 'tag' },
    { title: 'runs', align: 'right' },
    { title: 'written (UTC)' },
    { title: '' },
  ] as const;
  const rows = tags.map(({ name, runIds, writtenUtc, gone }) => [
    name,
    String(runIds.length),
    writtenUtc.slice(0, 16).replace('T', ' '),
    gone.length === 0 ? '' : `${gone.length === runIds.length ? 'all' : gone.length} of them removed since`,
  ]);
  return plainText(longTable(columns, rows));
}

export function tagText({ name, runIds, before }: TagChange, dryRun: boolean): string {
  const count = (ids: readonly string[]): string => `${ids.length} run${ids.length === 1 ? '' : 's'}`;
  const instead = before === null ? '' : `, in place of ${count(before)} before`;
  return `${name} ${dryRun ? 'would stand' : 'stands'} for ${count(runIds)}${instead}`;
}
