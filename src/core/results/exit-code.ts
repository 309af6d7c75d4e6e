import type { OutcomeClass } from '../logs/events.ts';
import type { RunRecord } from './record.ts';

/**
 * Outcomes that answer what a grid asks: it ran, it does not fit, its numbers go wrong, it cannot be here. After any
 * other end the question is still open: something broke, or the run had no time, no node, or no end (README.md, exit
 * status). The same for every command that runs cases.
 */
const answers: ReadonlySet<OutcomeClass> = new Set([
  'ok',
  'gpu_oom',
  'host_oom',
  'shm_full',
  'nan_or_inf',
  'loss_scale_floor',
  'unsupported',
]);

/** Whether an end answers what was asked, well or badly; else something broke, or the run had no end. */
export function isAnswer(outcome: OutcomeClass): boolean {
  return answers.has(outcome);
}

/**
 * The exit code of a command that ran cases: 4 where one has no answer. Out of memory is an answer in a grid, and a
 * failure (4) when it is the one case asked for by name; a case that this machine cannot run by its kind, asked for by name, is 3.
 * Of several the highest.
 */
export function casesExitCode(
  records: readonly RunRecord[],
  options: { readonly askedByName: boolean; readonly unsupportedAskedFor: boolean },
): 0 | 3 | 4 {
  const cases = new Set(records.map((record) => record.caseId));
  const single = options.askedByName && cases.size === 1;
  const failed = records.some(
    ({ outcome }) => !answers.has(outcome.class) || (single && outcome.class !== 'ok'),
  );
  if (failed) return 4;
  return options.unsupportedAskedFor ? 3 : 0;
}

/**
 * The exit code of a campaign, by the same rule: 4 where a cell has no answer, or not all of the launches it wants.
 * A mode that this machine cannot run, asked for by name, is 3.
 * @param cells each with the outcome that speaks for it
 */
export function campaignExitCode(
  cells: readonly { readonly outcome: OutcomeClass | null; readonly state: string }[],
  options: { readonly unsupportedAskedFor: boolean },
): 0 | 3 | 4 {
  const isGood = cells.every(
    ({ outcome, state }) => outcome !== null && state === 'done' && answers.has(outcome),
  );
  if (!isGood) return 4;
  return options.unsupportedAskedFor ? 3 : 0;
}
