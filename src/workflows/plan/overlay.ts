import { join } from 'node:path';
import { readSeriesFile } from '../../adapters/patches/series-folder.ts';
import { overlaySection } from '../../core/deepspeed/known-keys.ts';
import type { JsonObject } from '../../core/deepspeed/modes/mode.ts';
import { isOverlayMode } from '../../core/deepspeed/modes/registry.ts';
import type { Case } from '../../core/experiment/case.ts';
import type { Grid } from '../../core/experiment/grid.ts';
import type { GridFlags } from '../../core/experiment/grid-flags.ts';
import { overlayTrouble, type OverlayTrouble } from '../../core/patches/overlay-trouble.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';

/**
 * @returns why the stack cannot run what needs the overlay; null where it can, and where there is no stack.
 * @throws SuperOffloadError 'config' for a damaged series.
 */
export async function overlayTroubleOf(
  { packageRoot }: Pick<Context, 'packageRoot'>,
  stack: StackLock | null,
): Promise<OverlayTrouble | null> {
  if (stack === null) return null;
  const file = await readSeriesFile(join(packageRoot, 'patches', 'deepspeed'));
  return file === undefined ? null : overlayTrouble(stack, file.series);
}

/** Does a case, or the user's DeepSpeed JSON, have the section that only the overlay reads? */
export function needsOverlay(subject: Case, config: JsonObject | null): boolean {
  const keys = [...Object.keys(config ?? {}), ...Object.keys(subject.deepspeedOverrides)];
  const own = config === null && isOverlayMode(subject.mode);
  return own || keys.some((key) => key === overlaySection || key.startsWith(`${overlaySection}.`));
}

/**
 * @returns what a dry run must say of cases that a run would refuse.
 * @throws SuperOffloadError 'environment' where it is no dry run.
 */
export function overlayNotes(
  cases: readonly Case[],
  config: JsonObject | null,
  trouble: OverlayTrouble | null,
  dryRun: boolean,
): readonly string[] {
  if (trouble === null || !cases.some((subject) => needsOverlay(subject, config))) return [];
  const { message, hint } = trouble;
  if (!dryRun) throw new SuperOffloadError({ code: 'environment', message, hint });
  return [`${message}: a run of this plan would be refused\n${hint}`];
}

/** Leaves out, with the reason, what of an experiment the stack cannot run and nobody asked for by name or by `--ds`. */
export function withoutOverlay(grid: Grid, flags: GridFlags, trouble: OverlayTrouble | null): Grid {
  if (trouble === null || flags.modes !== undefined) return grid;
  const isListed = flags.deepspeedOverrides === undefined;
  const lacking = grid.cases.filter(
    (subject) => isOverlayMode(subject.mode) || (isListed && needsOverlay(subject, null)),
  );
  const reason = `${trouble.message}\n${trouble.hint}`;
  const skipped = lacking.map((subject) => ({
    ...({ case: subject, kind: 'needs-patches', reason, askedFor: false } as const),
  }));
  const cases = grid.cases.filter((subject) => !lacking.includes(subject));
  return { ...grid, cases, skipped: [...grid.skipped, ...skipped] };
}
