import { fileBytes } from '../../adapters/dataset/data-file.ts';
import { readJson } from '../../adapters/files.ts';
import type { Case } from '../../core/experiment/case.ts';
import { plannedData } from '../../core/plan/planned-data.ts';
import type { RunPlan } from '../../core/plan/run-plan.ts';
import { faultsError, type Fault } from '../../errors.ts';
import type { Context } from '../context.ts';
import { ensureSynthetic, requireDataset } from '../dataset/use.ts';

/**
 * Sees to it that the data of a run is there: a data set of the user's is checked, a synthetic one is made.
 * @throws SuperOffloadError 'environment' with every fault of it, before anything is launched.
 */
export async function readyData(
  context: Context,
  { data, case: subject }: Pick<RunPlan, 'data' | 'case'>,
): Promise<void> {
  // A replayed plan was never looked at by `requireData`, and its files may be gone.
  if (subject?.workload === 'megatron') await requireTokenizer([subject]);
  if (data === undefined) return;
  if (data.synthetic !== null) {
    const made = await ensureSynthetic(context.home, data.synthetic, context.signal);
    // A plan of another state folder names a place that is not ours to fill.
    if (made === data.prefix) return;
  }
  await requireDataset(data.prefix, data);
}

/** GPT-2's end of a document: Megatron's tokenizer looks it up (megatron/tokenizer/tokenizer.py). */
const endOfDocument = '<|endoftext|>';

/**
 * Looks at everything that the user named for cases to read, before the first of them runs.
 * @throws SuperOffloadError 'environment' with every fault.
 */
export async function requireData(cases: readonly Case[]): Promise<void> {
  await requireTokenizer(cases);
  const named = new Map(cases.map((subject) => [dataKey(subject), subject]));
  for (const subject of named.values()) {
    const data = plannedData(subject, '');
    if (data?.synthetic === null) await requireDataset(data.prefix, data);
  }
}

function dataKey({ dataPath, model, sequenceLength }: Case): string {
  return JSON.stringify([dataPath, model.paddedVocabulary, sequenceLength]);
}

/**
 * Refuses a vocabulary that the model cannot take, and merges that are not there.
 */
async function requireTokenizer(cases: readonly Case[]): Promise<void> {
  const [subject] = cases;
  if (subject === undefined || subject.vocabFile === null || subject.mergeFile === null) return;
  const smallest = Math.min(...cases.map(({ model }) => model.paddedVocabulary));
  const faults = await vocabularyFaults(subject.vocabFile, smallest);
  if ((await fileBytes(subject.mergeFile)) === null)
    faults.push({ place: subject.mergeFile, problem: 'is no file' });
  if (faults.length > 0) {
    const hint =
      `one that fits: superoffload dataset make --text FILE... --vocab-size ${smallest} --out DIR; ` +
      "the paper's: superoffload dataset fetch";
    throw faultsError('environment', faults, hint);
  }
}

async function vocabularyFaults(path: string, paddedVocabulary: number): Promise<Fault[]> {
  const vocabulary = await readJson(path);
  if (typeof vocabulary !== 'object' || vocabulary === null || Array.isArray(vocabulary)) {
    const problem = vocabulary === undefined ? 'is no file' : 'is no vocabulary';
    return [{ place: path, problem, expected: 'a JSON object of tokens and their ids' }];
  }
  const faults: Fault[] = [];
  const count = Object.keys(vocabulary).length;
  if (count > paddedVocabulary) {
    const expected = `at most ${paddedVocabulary}, the vocabulary of the model`;
    faults.push({ place: path, problem: `has ${count} tokens`, expected });
  }
  if (!Object.hasOwn(vocabulary, endOfDocument)) {
    faults.push({ place: path, problem: `has no token ${endOfDocument}`, expected: "as GPT-2's has" });
  }
  return faults;
}
