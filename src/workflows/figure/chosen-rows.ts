import { dataFolders, readExperiment, readModels } from '../../adapters/experiment-data.ts';
import type { Case } from '../../core/experiment/case.ts';
import { ablationPlaces, settingKey } from '../../core/figures/ablation/places.ts';
import { faultsError, type SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { resolveMachine } from '../machine.ts';

/**
 * Which cases are rows that were asked for by words of their group or title, whatever their case: all rows of an
 * ablation take longer than one call on a lent machine may last.
 * @throws SuperOffloadError 'usage' for words that no row has, with the titles that there are.
 */
export async function chosenRows(
  context: Context,
  experimentName: string,
  { system: name, rows }: { readonly system: string; readonly rows: readonly string[] },
): Promise<(subject: Case) => boolean> {
  const folders = dataFolders(context);
  const models = Object.fromEntries(readModels(folders).map(({ shape }) => [shape.name, shape]));
  const { system } = await resolveMachine(context, name);
  const places = ablationPlaces(readExperiment(experimentName, folders), system.accelerator, models);
  const named = places.map(({ group, row, subject }) => {
    return { text: `${group}: ${row.title}`.toLowerCase(), title: row.title, key: settingKey(subject) };
  });
  const having = (words: string): typeof named =>
    words.trim() === '' ? [] : named.filter(({ text }) => text.includes(words.toLowerCase()));
  const unknown = rows.filter((words) => having(words).length === 0);
  if (unknown.length > 0) {
    const expected = [...new Set(named.map(({ title }) => title))].join(', ');
    const faults = unknown.map((words) => {
      return { place: `--row ${JSON.stringify(words)}`, problem: 'no row has these words', expected };
    });
    throw faultsError('usage', faults, 'nothing was started');
  }
  const wanted = new Set(rows.flatMap((words) => having(words).map(({ key }) => key)));
  return (subject) => wanted.has(settingKey(subject));
}

/** Rows that there are, of models or modes that were not asked for. */
export function rowsLeftOut(rows: readonly string[]): SuperOffloadError {
  const faults = rows.map((words) => {
    return {
      place: `--row ${JSON.stringify(words)}`,
      problem: 'no row of what the other flags choose has these words',
    };
  });
  return faultsError(
    'usage',
    faults,
    'leave out --model, --mode or --dtype, or name a row of theirs; nothing was started',
  );
}
