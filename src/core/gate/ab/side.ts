import { attentionNames, dtypes } from '../../experiment/case.ts';
import type { GridFlags } from '../../experiment/grid-flags.ts';
import { nearest } from '../../experiment/nearest.ts';
import type { Fault } from '../../../errors.ts';

/** One side of an A/B: what it changes of the case that both sides share. */
export interface Side {
  /** As the user wrote it. */
  readonly label: string;
  readonly stack: string | null;
  /** A DeepSpeed JSON. */
  readonly config: string | null;
  /** Set in the run's environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly flags: GridFlags;
}

/** What a bare word may stand for. */
export interface SideWords {
  readonly isStack: (name: string) => boolean;
  readonly isFile: (name: string) => boolean;
}

type Read<T> = (text: string) => T | null;

const count: Read<number> = (text) => (/^[1-9]\d*$/.test(text) ? Number(text) : null);
const share: Read<number> = (text) => (/^\d*\.?\d+$/.test(text) && Number(text) <= 1 ? Number(text) : null);
const flag: Read<boolean> = (text) => (text === 'true' ? true : text === 'false' ? false : null);
const word: Read<string> = (text) => (text === '' ? null : text);
const oneOf =
  <T extends string>(names: readonly T[]): Read<T> =>
  (text) =>
    names.find((name) => name === text) ?? null;

const reader = <K extends keyof GridFlags>(
  name: K,
  read: Read<NonNullable<GridFlags[K]>>,
  expected: string,
): { readonly expected: string; readonly read: (text: string) => GridFlags | null } => ({
  expected,
  read: (text) => {
    const value = read(text);
    return value === null ? null : { [name]: value };
  },
});

/** Settings by the names of their flags. */
const settings: Readonly<Record<string, ReturnType<typeof reader>>> = {
  mode: { expected: 'a mode', read: (text) => (text === '' ? null : { modes: [text] }) },
  model: { expected: 'a size', read: (text) => (text === '' ? null : { models: [text] }) },
  'micro-batch': reader('microBatch', count, 'a whole number from 1 up'),
  'global-batch': reader('globalBatch', count, 'a whole number from 1 up'),
  'sequence-length': reader('sequenceLength', count, 'a whole number from 1 up'),
  'sequence-parallel': reader('sequenceParallel', count, 'a whole number from 1 up'),
  'loss-chunk': reader('lossChunk', count, 'a whole number from 1 up'),
  'activation-checkpointing': reader('activationCheckpointing', flag, 'true or false'),
  'activation-offload': reader('activationOffload', flag, 'true or false'),
  'fp16-lm-cross-entropy': reader('fp16LmCrossEntropy', flag, 'true or false'),
  attention: reader('attention', oneOf(attentionNames), attentionNames.join(' or ')),
  dtype: reader('dtype', oneOf(dtypes), dtypes.join(', ')),
  ratio: reader('ratio', share, 'a share, such as 0.9'),
  dropout: reader('dropout', share, 'a share, such as 0.1'),
  'data-path': reader('dataPath', word, 'a data set'),
};

const others = ['stack', 'config', 'env.NAME', 'ds.KEY'];

/**
 * Reads one side: the name of an installed stack, a DeepSpeed JSON, or `key=value` with commas between
 * (`stack=NAME`, `config=FILE`, `env.NAME=VALUE`, `ds.KEY=VALUE`, and the flags of a case by their names).
 * @returns the side, or every fault in it.
 */
export function parseSide(label: string, place: string, words: SideWords): Side | readonly Fault[] {
  const bare: Side = { label, stack: null, config: null, env: {}, flags: {} };
  if (!label.includes('=')) {
    if (words.isStack(label)) return { ...bare, stack: label };
    if (words.isFile(label)) return { ...bare, config: label };
    const problem = `${JSON.stringify(label)} is neither an installed stack nor a file`;
    return [{ place, problem, expected: 'a stack, a DeepSpeed JSON, or key=value,key=value' }];
  }
  const faults: Fault[] = [];
  let side = bare;
  // A comma inside a value is one that no `key=` follows.
  for (const pair of label.split(/,(?=[\w.-]+=)/)) {
    const equals = pair.indexOf('=');
    const [key, value] = [pair.slice(0, equals), pair.slice(equals + 1)];
    const next = equals < 0 ? null : setOf(side, key, value);
    if (next === null) faults.push(faultOf(key, value, place));
    else side = next;
  }
  return faults.length > 0 ? faults : side;
}

function setOf(side: Side, key: string, value: string): Side | null {
  if (key === 'stack') return value === '' ? null : { ...side, stack: value };
  if (key === 'config') return value === '' ? null : { ...side, config: value };
  const env = /^env\.([A-Za-z_]\w*)$/.exec(key)?.[1];
  if (env !== undefined) return { ...side, env: { ...side.env, [env]: value } };
  if (/^ds\../.test(key)) {
    const overrides = [...(side.flags.deepspeedOverrides ?? []), `${key.slice(3)}=${value}`];
    return { ...side, flags: { ...side.flags, deepspeedOverrides: overrides } };
  }
  const flags = Object.hasOwn(settings, key) ? (settings[key]?.read(value) ?? null) : null;
  return flags === null ? null : { ...side, flags: { ...side.flags, ...flags } };
}

function faultOf(key: string, value: string, place: string): Fault {
  const known = Object.hasOwn(settings, key) ? settings[key] : undefined;
  if (known !== undefined || key === 'stack' || key === 'config') {
    const expected = known?.expected ?? 'a name';
    return { place: `${place} ${key}`, problem: `is ${JSON.stringify(value)}`, expected };
  }
  const names = [...others, ...Object.keys(settings)];
  const meant = nearest(key, names);
  return {
    place: `${place} ${key}`,
    problem: 'is not a known setting',
    expected: meant === undefined ? names.join(', ') : `did you mean "${meant}"?`,
  };
}
