import { keyOf } from '../gate-case.ts';
import type { GateReport, RowStatus } from '../report.ts';
import { rowText, rowTitle } from './words.ts';

/** One entry of GitLab's Code Quality report, the fields that it reads (docs.gitlab.com, "Code Quality report format"). */
export interface CodeQualityIssue {
  readonly description: string;
  readonly check_name: string;
  /** Equal for the same finding in two pipelines, different for any two of one. */
  readonly fingerprint: string;
  readonly severity: 'info' | 'minor' | 'major' | 'critical' | 'blocker';
  readonly location: { readonly path: string; readonly lines: { readonly begin: number } };
}

const severities: Readonly<Partial<Record<RowStatus, CodeQualityIssue['severity']>>> = {
  failed: 'blocker',
  regression: 'critical',
  inconclusive: 'minor',
  missing: 'minor',
  expected: 'info',
};

/**
 * @param path the baseline beside the code, relative to the repository
 * @param hash of any text
 */
export function codeQuality(
  { rows }: GateReport,
  path: string,
  hash: (text: string) => string,
): CodeQualityIssue[] {
  return rows.flatMap((row): CodeQualityIssue[] => {
    const severity = severities[row.status];
    if (severity === undefined) return [];
    return [
      {
        description: `${rowTitle(row)}: ${rowText(row).replaceAll('\n', '; ')}`,
        check_name: `superoffload-gate-${row.status}`,
        fingerprint: hash(`${row.status} ${row.metric ?? ''} ${keyOf(row.case)}`),
        severity,
        location: { path, lines: { begin: 1 } },
      },
    ];
  });
}

/**
 * A part of a job's log that can be folded away (docs.gitlab.com, "Custom collapsible sections").
 * @param seconds since the epoch @param name letters, digits, `_`, `.` and `-` alone
 */
export function logSection(name: string, title: string, body: string, seconds: number): string {
  const clear = '\u001B[0K';
  return (
    `${clear}section_start:${seconds}:${name}\r${clear}${title}\n` +
    `${body}\n${clear}section_end:${seconds}:${name}\r${clear}`
  );
}
