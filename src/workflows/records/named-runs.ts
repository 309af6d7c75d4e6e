import { listRunIds } from '../../adapters/run-store.ts';
import { findRunId } from '../../adapters/stored-runs.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { resolveSource } from './resolve-source.ts';

type Folders = Pick<Context, 'home' | 'cwd'>;

/**
 * Runs of the state folder by what a person calls them: a run's id, the beginning or the end of it, `last`, a tag, a
 * campaign. Not all of them by one word: who removes runs names which.
 * @throws SuperOffloadError 'usage' where it names none, or a tag and a campaign at once.
 */
export async function runsNamed(context: Folders, wanted: string): Promise<readonly string[]> {
  const all = await listRunIds(context.home);
  if (all.includes(wanted)) return [wanted];
  if (wanted !== 'runs' && wanted !== 'last') {
    const resolved = await resolveSource(context, wanted, all);
    // A tag may stand for runs that are gone.
    if (!('problem' in resolved) && resolved.place.kind === 'runs')
      return resolved.place.runIds.filter((runId) => all.includes(runId));
  }
  return [await findRunId(context.home, wanted)];
}

/**
 * @returns the one run that is named so; a tag or a campaign of one run will do
 * @throws SuperOffloadError 'usage' where it names none, or several.
 */
export async function runNamed(context: Folders, wanted: string): Promise<string> {
  const [only, ...more] = await runsNamed(context, wanted);
  if (only !== undefined && more.length === 0) return only;
  throw new SuperOffloadError({
    code: 'usage',
    message: `${JSON.stringify(wanted)} stands for ${more.length === 0 ? 'no run' : `${more.length + 1} runs`}, and one is wanted`,
    hint: `see: superoffload runs list ${wanted}`,
  });
}
