import type { Fault } from '../../errors.ts';
import { nearest } from '../experiment/nearest.ts';
import { isRefusal, parseRef, parseSource, type Ref, type Source } from './source.ts';
import { upstreamNames, type UpstreamName } from './upstream.ts';

/** Where experiment/stacks/upstreams.json says that an upstream comes from. */
export interface Pin {
  readonly url: string;
  readonly ref: string;
  /** null: the head of `ref`. */
  readonly commit: string | null;
}

/** What the user said, by flags and by the environment. */
export interface UpstreamFlags {
  /** Each `NAME=URL|PATH`. */
  readonly sources: readonly string[];
  /** Each `NAME=REF`. */
  readonly refs: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One upstream as it is to be fetched. */
export interface UpstreamChoice {
  readonly name: UpstreamName;
  readonly source: Source;
  readonly ref: Ref;
  /** Of the pin or of a `--ref` that is a commit; null: whatever `ref` names when it is fetched. */
  readonly commit: string | null;
  /** No `--ref` was given: a checkout of the user's then stands where it stands. */
  readonly isDefaultRef: boolean;
}

export interface UpstreamChoices {
  readonly choices: readonly UpstreamChoice[];
  /** What an environment variable decided. */
  readonly notes: readonly string[];
  readonly faults: readonly Fault[];
}

/**
 * Variables that the published artifact's scripts and README read, all spellings of them: its launch scripts use
 * MEGATRON_DIR and Megatron_DeepSpeed where its README exports MEGATRON_DEEPSPEED_DIR, and one name has a hyphen,
 * which no shell exports but an environment can hold.
 */
export const artifactVariables: Readonly<Record<UpstreamName, readonly string[]>> = {
  deepspeed: ['DEEPSPEED_DIR'],
  megatron: ['MEGATRON_DEEPSPEED_DIR', 'MEGATRON_DIR', 'Megatron_DeepSpeed', 'MEGATRON-DEEPSPEED_DIR'],
  apex: [],
};

/**
 * Decides for each of `names` where it comes from and at which commit: a flag beats the artifact's variables, and
 * they beat the pinned data.
 * @returns every fault of every flag at once; `choices` are to be used only where there is none.
 */
export function chooseUpstreams(
  names: readonly UpstreamName[],
  flags: UpstreamFlags,
  pins: Readonly<Record<UpstreamName, Pin>>,
): UpstreamChoices {
  const faults: Fault[] = [];
  const notes: string[] = [];
  const sources = readFlag('--source', flags.sources, names, parseSource, faults);
  const refs = readFlag('--ref', flags.refs, names, parseRef, faults);
  const choices = names.flatMap((name): UpstreamChoice[] => {
    const pin = pins[name];
    const source = sources.get(name) ?? fromVariables(name, flags.env, notes, faults) ?? parseSource(pin.url);
    const given = refs.get(name);
    const ref = given ?? parseRef(pin.ref);
    if (isRefusal(source) || isRefusal(ref)) {
      const refusal = isRefusal(source) ? source : ref;
      if (isRefusal(refusal)) faults.push({ place: `upstreams.json /upstreams/${name}`, ...refusal });
      return [];
    }
    const commit = given === undefined ? pin.commit : ref.kind === 'commit' ? ref.name : null;
    return [{ name, source, ref, commit, isDefaultRef: given === undefined }];
  });
  return { choices, notes, faults };
}

type Parsed<T> = T | { readonly problem: string; readonly expected: string };

/** Reads every `NAME=VALUE` of one flag; a name may come once, or again with the same value. */
function readFlag<T extends Source | Ref>(
  flag: string,
  values: readonly string[],
  wanted: readonly UpstreamName[],
  parse: (text: string) => Parsed<T>,
  faults: Fault[],
): Map<UpstreamName, T> {
  const found = new Map<UpstreamName, T>();
  const texts = new Map<UpstreamName, string>();
  for (const value of values) {
    const equals = value.indexOf('=');
    const name = upstreamNames.find((each) => each === value.slice(0, Math.max(0, equals)));
    if (name === undefined) {
      faults.push(nameFault(flag, value, equals));
      continue;
    }
    const place = `${flag} ${name}`;
    const text = value.slice(equals + 1);
    const parsed = parse(text);
    const before = texts.get(name);
    if (!wanted.includes(name)) {
      faults.push({
        place,
        problem: `nothing is taken from ${name} here`,
        expected: wanted.join(', ') || 'none',
      });
    } else if ('problem' in parsed) faults.push({ place, ...parsed });
    else if (before !== undefined && before !== text) faults.push({ place, problem: 'is given twice' });
    else found.set(name, parsed);
    texts.set(name, text);
  }
  return found;
}

function nameFault(flag: string, value: string, equals: number): Fault {
  const form = flag === '--source' ? 'NAME=URL or NAME=PATH' : 'NAME=REF';
  const expected = `${form}, where NAME is ${upstreamNames.join(', ')}`;
  // The value may hold a password: only what stands for the name is shown, and only where there is one.
  if (equals <= 0) return { place: flag, problem: 'names no upstream', expected };
  const word = value.slice(0, equals);
  if (!/^[\w.-]{1,40}$/.test(word)) return { place: flag, problem: 'names no upstream', expected };
  const meant = nearest(word, upstreamNames);
  return { place: flag, problem: `there is no upstream "${word}"`, expected: meant ?? expected };
}

/** An empty variable is an unset one; a slash at the end makes no difference. */
function fromVariables(
  name: UpstreamName,
  env: UpstreamFlags['env'],
  notes: string[],
  faults: Fault[],
): Source | undefined {
  const set = artifactVariables[name].flatMap((variable) => {
    const value = (env[variable] ?? '').replace(/(?<=.)\/+$/, '');
    return value === '' ? [] : [{ variable, value, source: parseSource(value) }];
  });
  for (const { variable, source } of set) {
    if (isRefusal(source)) faults.push({ place: variable, ...source });
  }
  const good = set.flatMap(({ variable, value, source }) =>
    isRefusal(source) ? [] : [{ variable, value, source }],
  );
  const [first] = good;
  if (first === undefined) return undefined;
  if (good.some(({ value }) => value !== first.value)) {
    const all = good.map(({ variable, source }) => `${variable}=${source.shown}`).join(', ');
    const problem = `the environment's variables for ${name} disagree: ${all}`;
    faults.push({ place: first.variable, problem, expected: `one of them, or --source ${name}=...` });
  } else {
    const all = good.map(({ variable }) => variable).join(' and ');
    notes.push(`${name}: from ${all}=${first.source.shown}`);
  }
  return first.source;
}
