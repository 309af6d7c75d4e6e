import type { ReportResult } from '../../workflows/report/write-report.ts';

/** What was written, or would be; and what was left out and why. */
export function reportText({ folder, open, runs, files, bytes, replaces, notes }: ReportResult): string {
  const what = `${files} files, a report of ${runs} run${runs === 1 ? '' : 's'}`;
  const done =
    bytes === null
      ? `would write ${what}, into ${folder}${replaces ? ', in place of the one that is there' : ''}`
      : `${what}, ${(bytes / 1e6).toFixed(1)} MB: open ${open}`;
  return [...notes.map((note) => `note: ${note}`), done].join('\n');
}
