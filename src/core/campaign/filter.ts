import type { Fault } from '../../errors.ts';
import type { Case } from '../experiment/case.ts';
import { findMode } from '../deepspeed/modes/registry.ts';
import { nearest } from '../experiment/nearest.ts';

/** What of a case a filter can name, as a user would write it. */
const keys = {
  experiment: ({ experiment }) => experiment,
  workload: ({ workload }) => workload,
  mode: ({ mode }) => mode,
  model: ({ model }) => model.name,
  chips: ({ chips }) => String(chips),
  'sequence-parallel': ({ sequenceParallel }) => String(sequenceParallel),
  'sequence-length': ({ sequenceLength }) => String(sequenceLength),
  'micro-batch': ({ microBatch }) => String(microBatch),
  'global-batch': ({ globalBatch }) => String(globalBatch),
  'activation-checkpointing': ({ activationCheckpointing }) => String(activationCheckpointing),
  dtype: ({ dtype }) => dtype,
  ratio: ({ ratio }) => String(ratio),
  seed: ({ seed }) => String(seed),
} as const satisfies Readonly<Record<string, (subject: Case) => string>>;

export type FilterKey = keyof typeof keys;
export const filterKeys: readonly string[] = Object.keys(keys);

/** A case passes when it has one of the values of every key. */
export type CaseFilter = ReadonlyMap<FilterKey, readonly string[]>;

type FilterResult =
  | { readonly ok: true; readonly filter: CaseFilter }
  | { readonly ok: false; readonly faults: readonly Fault[] };

/**
 * Reads `chips=4,mode=prism`: a word without `=` is another value of the key before it (`chips=1,4,mode=prism`).
 * @param words of every `--filter`; all of them must hold
 */
export function parseFilter(words: readonly string[]): FilterResult {
  const filter = new Map<FilterKey, string[]>();
  const faults: Fault[] = [];
  for (const word of words) {
    let key: FilterKey | undefined;
    for (const part of word.split(',').map((each) => each.trim())) {
      const at = part.indexOf('=');
      const name = at === -1 ? undefined : part.slice(0, at).trim();
      const value = part.slice(at + 1).trim();
      if (name !== undefined) key = findKey(name);
      const fault = partFault(word, part, name, key, value);
      if (fault !== null) faults.push(fault);
      else if (key !== undefined) filter.set(key, [...(filter.get(key) ?? []), spelt(key, value)]);
      // One fault for a key is enough, whatever its other values are.
      if (name !== undefined && key === undefined) break;
    }
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, filter };
}

/** `zero-offload` and `superoffload` name modes too. */
function spelt(key: FilterKey, value: string): string {
  return key === 'mode' ? (findMode(value)?.name ?? value) : value;
}

function partFault(
  word: string,
  part: string,
  name: string | undefined,
  key: FilterKey | undefined,
  value: string,
): Fault | null {
  const place = `--filter ${word}`;
  if (name !== undefined && key === undefined) {
    const expected = nearest(name, Object.keys(keys)) ?? Object.keys(keys).join(', ');
    return { place, problem: `there is no key "${name}"`, expected };
  }
  if (key === undefined) {
    return { place, problem: `"${part}" names no key`, expected: 'KEY=VALUE, such as chips=4,mode=prism' };
  }
  return value === '' ? { place, problem: `"${part}" has no value`, expected: `${key}=VALUE` } : null;
}

function findKey(name: string): FilterKey | undefined {
  const wanted = name.replaceAll('_', '-').toLowerCase();
  return (Object.keys(keys) as FilterKey[]).find((key) => key === wanted);
}

/** @returns what of a case filters can name, by their keys, in the order in which they are told. */
export function cellWords(subject: Case): Map<string, string> {
  return new Map(Object.entries(keys).map(([key, valueOf]) => [key, valueOf(subject)]));
}

export function passes(subject: Case, filter: CaseFilter): boolean {
  for (const [key, values] of filter) if (!values.includes(keys[key](subject))) return false;
  return true;
}

/** @returns a fault for every value that no case has, or for values that no case has together; naming what there is. */
export function filterFaults(filter: CaseFilter, cases: readonly Case[]): Fault[] {
  const unknown = [...filter].flatMap(([key, values]) => {
    const there = [...new Set(cases.map(keys[key]))];
    return values
      .filter((value) => !there.includes(value))
      .map((value) => ({
        place: `--filter ${key}=${value}`,
        problem: 'no case has it',
        expected: nearest(value, there) ?? there.join(', '),
      }));
  });
  const isEmpty = filter.size > 0 && !cases.some((subject) => passes(subject, filter));
  return unknown.length > 0 || !isEmpty ? unknown : [togetherFault(filter, cases)];
}

/** The same fault of a filter that the user gave with another flag than `--filter`. */
export function underFlag(fault: Fault, flag: string): Fault {
  return { ...fault, place: fault.place.replace('--filter', flag) };
}

/** Names what there is of the last key beside all that comes before it. */
function togetherFault(filter: CaseFilter, cases: readonly Case[]): Fault {
  const words = [...filter].map(([key, values]) => `${key}=${values.join(',')}`);
  const place = `--filter ${words.join(',')}`;
  const problem = 'no case has all of it';
  for (let count = filter.size - 1; count > 0; count -= 1) {
    const before = new Map([...filter].slice(0, count));
    const [key] = [...filter.keys()].slice(count);
    const left = cases.filter((subject) => passes(subject, before));
    if (key === undefined || left.length === 0) continue;
    const there = [...new Set(left.map(keys[key]))].join(', ');
    return { place, problem, expected: `with ${words.slice(0, count).join(',')} there is ${key}=${there}` };
  }
  return { place, problem };
}
