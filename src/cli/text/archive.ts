import { shown } from '../../core/archive/manifest.ts';
import type { ExportedRun, ExportReport } from '../../workflows/archive/export-runs.ts';
import type { ImportedTag } from '../../workflows/archive/archived-tags.ts';
import type { ImportReport } from '../../workflows/archive/import-runs.ts';

export function exportText(report: ExportReport): string {
  const { runs, notes, dryRun, archive, archiveBytes, bytes, locks, figures, tags } = report;
  return [
    ...runs.map(({ runId, files, bytes: size }) => `${runId}: ${plural(files, 'file')}, ${megabytes(size)}`),
    ...runs.flatMap(hiddenLines),
    ...leftOutLines(runs),
    ...tags.map(({ name, runIds }) => `tag ${name}: ${plural(runIds.length, 'run')}`),
    ...notes.map((note) => `note: ${note}`),
    `${plural(runs.length, 'run')}, ${plural(locks, 'lock')}, ${plural(figures.length, 'figure')}, ${megabytes(bytes)}: ` +
      (dryRun ? `would be packed into ${archive}` : `in ${archive}, ${megabytes(archiveBytes ?? 0)}`),
  ].join('\n');
}

function hiddenLines({ runId, redacted, hiddenSecrets }: ExportedRun): string[] {
  if (redacted.length === 0) return [];
  const where = redacted.join(', ');
  return [
    `hidden: ${plural(hiddenSecrets, 'secret')} of ${runId}, in ${where}: it cannot be replayed from the archive as it is`,
  ];
}

/** Many runs have the same caches: a line for each kind of leftover would say nothing more. */
function leftOutLines(runs: readonly ExportedRun[]): string[] {
  const names = [...new Set(runs.flatMap(({ leftOut }) => leftOut))];
  if (names.length === 0) return [];
  const shownNames = names.slice(0, 5).map((name) => (/^[\w./+=@,-]+$/.test(name) ? name : shown(name)));
  const more = names.length > shownNames.length ? ` and ${names.length - shownNames.length} more` : '';
  return [`left out: ${shownNames.join(', ')}${more}`];
}

export function importText(report: ImportReport): string {
  const { imported, skipped, into, dryRun, hiddenSecrets, tags } = report;
  const would = dryRun ? 'would import' : 'imported';
  return [
    ...imported.map(({ runId }) => `${would} ${runId}`),
    ...skipped.map((runId) => `skipped ${runId}: it is there already, with the same content`),
    ...(tags ?? []).flatMap((tag) => tagLines(tag, dryRun)),
    ...(hiddenSecrets === 0
      ? []
      : [`note: ${plural(hiddenSecrets, 'secret')} of these runs were hidden when they were exported`]),
    `${would} ${plural(imported.length, 'run')} into ${into}`,
  ].join('\n');
}

/** A name that is another's here stays that; whoever wants the archive's tag gives it another one. */
function tagLines({ name, runIds, state, problem }: ImportedTag, dryRun: boolean): string[] {
  if (state === 'there') return [];
  const runs = plural(runIds.length, 'run');
  if (state === 'set') return [`${dryRun ? 'would tag' : 'tagged'} ${runs} ${name}`];
  return [
    `tag ${name} of the archive (${runs}) is not set: ${problem ?? ''}; under another name: ` +
      `superoffload runs tag NAME ${runIds.join(' ')}`,
  ];
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e5 ? 3 : 1)} MB`;
}
