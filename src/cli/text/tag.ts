import { plainText } from '../../core/text/plain.ts';
import type { TagChange, TagListing } from '../../workflows/records/tags.ts';
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

/** More than these are no list that anybody reads. */
const shownRuns = 10;

/** Which runs a name stands for now; those without a result are said. */
export function tagText({ name, runIds, before, unfinished }: TagChange, dryRun: boolean): string {
  const count = (ids: readonly string[]): string => `${ids.length} run${ids.length === 1 ? '' : 's'}`;
  const instead = before === null ? '' : `, in place of ${count(before)} before`;
  const lines = runIds.slice(0, shownRuns).map((id) => {
    const open = unfinished.includes(id) ? '  no result yet: still in progress, or lost' : '';
    return `    ${shortRunId(id)}${open}`;
  });
  const more = runIds.length - lines.length;
  const hidden = unfinished.filter((id) => runIds.indexOf(id) >= shownRuns).length;
  const rest = `    and ${more} more${hidden === 0 ? '' : `, ${hidden} of them without a result yet`}`;
  const head = `${name} ${dryRun ? 'would stand' : 'stands'} for ${count(runIds)}${instead}:`;
  return plainText([head, ...lines, ...(more > 0 ? [rest] : [])].join('\n'));
}

/** The time and the end of an id, either of which finds the run again. */
function shortRunId(runId: string): string {
  const words = runId.split('-');
  return words.length < 3 ? runId : `${words[0] ?? ''}...${words.at(-1) ?? ''}`;
}
