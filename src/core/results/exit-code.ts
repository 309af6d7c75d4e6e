import type { OutcomeClass } from '../logs/events.ts';
import type { RunRecord } from './record.ts';

/** Outcomes that say that something is broken, not that a case does not fit (README.md, exit status). */
const failures: ReadonlySet<OutcomeClass> = new Set([
  'crash',
  'hang',
  'killed_unknown',
  'config_error',
  'launch_error',
  'install_error',
  'worker_dead',
]);

/**
 * The exit code of a command that ran cases: out of memory is an answer in a grid, and a failure (4) when it is
 * the one case asked for by name; a case that this machine cannot run by its kind, asked for by name, is 3.
 * Of several the highest.
 */
export function casesExitCode(
  records: readonly RunRecord[],
  options: { readonly askedByName: boolean; readonly unsupportedAskedFor: boolean },
): 0 | 3 | 4 {
  const cases = new Set(records.map((record) => record.caseId));
  const single = options.askedByName && cases.size === 1;
  const failed = records.some(
    ({ outcome }) => failures.has(outcome.class) || (single && outcome.class !== 'ok'),
  );
  if (failed) return 4;
  return options.unsupportedAskedFor ? 3 : 0;
}

/**
 * The exit code of a campaign: 4 where a cell has no answer or its answer is that something is broken.
 * A mode that this machine cannot run, asked for by name, is 3.
 * @param cells each with the outcome that speaks for it
 */
export function campaignExitCode(
  cells: readonly { readonly outcome: OutcomeClass | null; readonly state: string }[],
  options: { readonly unsupportedAskedFor: boolean },
): 0 | 3 | 4 {
  const isGood = cells.every(
    ({ outcome, state }) => outcome !== null && state === 'done' && !failures.has(outcome),
  );
  if (!isGood) return 4;
  return options.unsupportedAskedFor ? 3 : 0;
}
