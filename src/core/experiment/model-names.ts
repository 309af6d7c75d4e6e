import type { Fault } from '../../errors.ts';
import { modelFaults } from '../model/model-table.ts';
import { padVocabulary, vocabularyDivisibleBy } from '../model/shape.ts';
import type { ModelShape } from './case.ts';
import { nearest } from './nearest.ts';

/** A grid's models: every entry of model.json by its key. */
export type ModelTable = Readonly<Record<string, ModelShape>>;

/** The heads and rows of a shape that is given by its layers and width alone: the paper's. */
const defaultHeads = 32;
const defaultRows = 50432;

/**
 * The name of a shape that stands in no model.json: `68x4096`, or `6x64x4x512` (heads and vocabulary) where these are
 * not the paper's. {@link shapesNamed} reads it back.
 */
export function shapeName({ layers, hidden, heads, paddedVocabulary }: Omit<ModelShape, 'name'>): string {
  const isUsual = heads === defaultHeads && paddedVocabulary === defaultRows;
  return [layers, hidden, ...(isUsual ? [] : [heads, paddedVocabulary])].join('x');
}

/** Shapes by their names in model.json, or by their numbers. */
export function shapesNamed(
  names: readonly string[],
  models: ModelTable,
): { readonly shapes: ModelShape[]; readonly faults: Fault[] } {
  const faults: Fault[] = [];
  const shapes = names.flatMap((name) => {
    const shape = Object.hasOwn(models, name) ? models[name] : numbered(name);
    if (shape === undefined) {
      faults.push({
        place: '--model',
        problem: `there is no size "${name}"`,
        expected: meant(name, Object.keys(models)),
      });
      return [];
    }
    faults.push(...modelFaults([{ shape, source: '' }], '--model'));
    return [shape];
  });
  return { shapes: [...new Set(shapes)], faults };
}

/** Sizes of about as many parameters where the name is a number of them; else one that is spelt nearly so. */
function meant(name: string, sizes: readonly string[]): string {
  // With letters before it, it is another word for one that is there: `tinny-4M`.
  const wanted = /^\d/.test(name) ? statedParameters(name) : null;
  if (wanted === null) return nearest(name, sizes) ?? 'a size of `superoffload models`';
  const known = sizes
    .map((size) => ({ size, parameters: statedParameters(size) ?? Number.NaN }))
    .sort((a, b) => a.parameters - b.parameters);
  const near = [
    known.findLast(({ parameters }) => parameters < wanted),
    known.find(({ parameters }) => parameters > wanted),
  ].flatMap((each) => (each === undefined ? [] : [each.size]));
  return [...near, 'or any LAYERSxHIDDEN, such as 50x4096'].join(', ');
}

/** `9B` and `tiny-4M` state a number of parameters. */
function statedParameters(name: string): number | null {
  const [, digits = '', unit = ''] = /^(?:[a-z]+-)?(\d+(?:\.\d+)?)([KMB])$/i.exec(name) ?? [];
  const scale = { k: 1e3, m: 1e6, b: 1e9 }[unit.toLowerCase()];
  return scale === undefined ? null : Number(digits) * scale;
}

function numbered(name: string): ModelShape | undefined {
  const match = /^([1-9]\d{0,4})x([1-9]\d{0,5})(?:x([1-9]\d{0,3})x([1-9]\d{1,6}))?$/.exec(name);
  if (match === null) return undefined;
  const [layers = 1, hidden = 1, heads = defaultHeads, rows = defaultRows] = match
    .slice(1)
    .map((word: string | undefined) => (word === undefined ? undefined : Number(word)));
  const paddedVocabulary = padVocabulary(rows, vocabularyDivisibleBy);
  return { name, layers, hidden, heads, paddedVocabulary };
}
