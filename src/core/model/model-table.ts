import type { Fault } from '../../errors.ts';
import type { ModelShape } from '../experiment/case.ts';
import type { ModelFile } from './model-file.schema.ts';
import { padVocabulary, vocabularyDivisibleBy } from './shape.ts';

/** A size of model.json with where it comes from. */
export interface ModelEntry {
  readonly shape: ModelShape;
  readonly source: string;
}

/** The paper's number of heads, and GPT-2's tokens. */
const defaultHeads = 32;
const defaultVocabulary = 50257;

/** Turns a model file that passed its schema into shapes, by name. */
export function modelEntries(file: ModelFile): ModelEntry[] {
  return Object.entries(file.models).map(([name, entry]) => ({
    shape: {
      name,
      layers: entry.layers,
      hidden: entry.hidden,
      heads: entry.heads ?? defaultHeads,
      paddedVocabulary: padVocabulary(entry.vocabulary ?? defaultVocabulary, vocabularyDivisibleBy),
    },
    source: entry.source,
  }));
}

/** What a schema cannot say: each head needs an equal share of the hidden size. */
export function modelFaults(entries: readonly ModelEntry[], place: string): Fault[] {
  return entries
    .filter(({ shape }) => shape.hidden % shape.heads !== 0)
    .map(({ shape }) => ({
      place: `${place} /models/${shape.name}/hidden`,
      problem: `${shape.hidden} is not divisible by ${shape.heads} heads`,
      expected: `a multiple of ${shape.heads}, or another "heads"`,
    }));
}
