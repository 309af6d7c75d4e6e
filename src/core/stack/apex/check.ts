/** What check_apex.py found, and whether it is what the build promised. */
import { resultLine } from '../result-line.ts';

export interface ApexCheck {
  readonly torch: string;
  /** apex/__init__.py as it is imported; null where it is not. */
  readonly apex: string | null;
  /** Why apex is not imported; null where it is. */
  readonly problem: string | null;
  /** Extensions that were imported, by name, and the file of each. */
  readonly files: Readonly<Record<string, string>>;
  /** Extensions that were not, and why. */
  readonly failed: Readonly<Record<string, string>>;
}

/** @returns the last result line of check_apex.py, undefined when there is none. */
export function parseApexCheck(stdout: string): ApexCheck | undefined {
  return resultLine(stdout) as ApexCheck | undefined;
}

/**
 * @param promised what the build, or the Apex that was there, is said to have.
 * @returns undefined when Apex and every one of its extensions are imported. That the installer ended well proves
 * nothing: pip 23.1 may leave out all extensions and say nothing.
 */
export function judgeApex(
  check: ApexCheck,
  promised: readonly string[],
): { readonly message: string; readonly hint: string } | undefined {
  const missing = promised.filter((name) => !(name in check.files));
  const lines = [
    ...(check.apex === null ? [`apex: ${check.problem ?? 'not imported'}`] : []),
    ...missing.map((name) => `${name}: ${check.failed[name] ?? 'was not tried'}`),
  ];
  if (lines.length === 0 && promised.length > 0) return undefined;
  return {
    message: ['Apex does not have what its build promised:', ...lines.map((line) => `- ${line}`)].join('\n'),
    hint: "to use plain torch in Apex's place: superoffload install --reinstall --apex overlay",
  };
}
