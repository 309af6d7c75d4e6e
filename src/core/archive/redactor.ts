import type { RunPlan } from '../plan/run-plan.ts';
import { runScripts } from '../plan/describe.ts';
import { hiddenMark, hiddenParts, redactCommand, redactEnvironment, redactText } from '../results/redact.ts';
import { runFiles } from '../results/run-files.ts';

/** A text without its secrets, and in how many places there were any. */
export interface Redacted {
  readonly text: string;
  readonly hidden: number;
}

/** What is known of the secrets of one run. */
export interface RunSecrets {
  /** The values themselves, longest first: wherever else one stands (a log, a script), it goes. */
  readonly values: readonly string[];
  /** Files whose text without secrets is known as a whole: the plan, and the scripts that it made. */
  readonly files: ReadonlyMap<string, Redacted>;
}

/** What is known of a run without a plan that can be read. */
export function secretsWithoutPlan(known: readonly string[]): RunSecrets {
  return { values: withSpellings(known), files: new Map() };
}

/**
 * Finds the secrets that the command and the variables of a plan hold.
 * @param planText the file as it lies there
 * @param known secrets that are known from elsewhere
 * @param fileTexts texts of its scripts, by name: one that the plan made is made again from the plan without secrets,
 * so that no way of quoting hides a value
 */
export function secretsOf(
  plan: RunPlan,
  planText: string,
  fileTexts: ReadonlyMap<string, string>,
  known: readonly string[] = [],
): RunSecrets {
  const command = redactCommand(plan.command);
  const env = redactEnvironment(plan.env);
  const found = [
    ...plan.command.flatMap((word, index) => hiddenParts(word, command[index] ?? '')),
    ...Object.entries(plan.env).flatMap(([name, value]) => hiddenParts(value, env[name] ?? '')),
  ];
  const values = withSpellings([...found, ...known]);
  if (found.length === 0) return { values, files: new Map() };
  const files = new Map<string, Redacted>();
  const clean: RunPlan = {
    ...plan,
    command,
    env: Object.fromEntries(Object.keys(plan.env).map((name) => [name, env[name] ?? ''])),
  };
  const hide = hider(values);
  const cleanText = hide(`${JSON.stringify(clean, null, 2)}\n`);
  if (cleanText.text !== planText) files.set(runFiles.plan, { text: cleanText.text, hidden: found.length });
  const [before, after] = [scriptsOf(plan), scriptsOf(clean)];
  for (const [name, text] of fileTexts) {
    if (before[name] !== text || after[name] === undefined) continue;
    const hidden = hide(after[name]);
    files.set(name, { text: hidden.text, hidden: found.length });
  }
  return { values, files };
}

/** A plan of another version may lack what its scripts are made of: then they are texts like any other. */
function scriptsOf(plan: RunPlan): Readonly<Record<string, string>> {
  try {
    return runScripts(plan);
  } catch {
    return {};
  }
}

/** Longest first: as they are, as JSON, a shell or an address writes them, and each line of those that have several. */
function withSpellings(values: readonly string[]): string[] {
  const all = values.flatMap((value) => [
    value,
    JSON.stringify(value).slice(1, -1),
    value.replaceAll("'", "'\\''"),
    value.replaceAll("'", `'"'"'`),
    encodeURIComponent(value.replace(/\p{Surrogate}/gu, '\ufffd')),
    ...value.split(/\r?\n/).filter((line) => line.trim().length >= minFreeLength),
  ]);
  return [...new Set(all)].sort((a, b) => b.length - a.length);
}

/** Fewer letters than this are looked for as whole words alone: `a` stands everywhere. */
const minFreeLength = 8;

/** @returns what takes secrets out of a text, by their values, names and shapes. */
export function hider(values: readonly string[]): (text: string) => Redacted {
  const patterns = values.map((value) => {
    const escaped = value.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    return new RegExp(value.length < minFreeLength ? `(?<!\\w)${escaped}(?!\\w)` : escaped, 'g');
  });
  return (text) => {
    const known = patterns.reduce((rest, pattern) => rest.replaceAll(pattern, hiddenMark), text);
    const redacted = redactText(known);
    return redacted === text
      ? { text, hidden: 0 }
      : { text: redacted, hidden: marks(redacted) - marks(text) };
  };
}

function marks(text: string): number {
  return text.split(hiddenMark).length - 1;
}

/** The environment of a run, hidden once more by today's rules: an older version may have known fewer names. */
export function redactEnvText(text: string, value: unknown): Redacted {
  const fields = (typeof value === 'object' && value !== null ? value : {}) as {
    readonly environment?: unknown;
  };
  const { environment } = fields;
  if (typeof environment !== 'object' || environment === null) return hider([])(text);
  // A file of somebody else's may hold anything in a text's place.
  const texts = Object.entries(environment).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const clean = { ...environment, ...redactEnvironment(Object.fromEntries(texts)) };
  const hidden = texts.filter(([name, was]) => clean[name as keyof typeof clean] !== was).length;
  return hidden === 0
    ? { text, hidden }
    : { text: `${JSON.stringify({ ...fields, environment: clean }, null, 2)}\n`, hidden };
}

/** How much text is looked at together. */
const blockLength = 1024 ** 2;

/** Takes secrets out of a text that comes in pieces: whole lines at a time, since none of them spans two. */
export interface TextRedactor {
  /** @returns what can be told of the text so far. */
  readonly push: (piece: string) => string;
  readonly end: () => string;
  /** Places so far. */
  readonly hidden: () => number;
}

export function textRedactor(values: readonly string[]): TextRedactor {
  const hide = hider(values);
  let waiting = '';
  let hidden = 0;
  const pass = (text: string): string => {
    const result = hide(text);
    hidden += result.hidden;
    return result.text;
  };
  return {
    push: (piece) => {
      waiting += piece;
      if (waiting.length < blockLength) return '';
      // A line that is longer than a block is cut at a blank, and without one where it is.
      const end =
        Math.max(waiting.lastIndexOf('\n'), waiting.lastIndexOf('\r')) + 1 || waiting.lastIndexOf(' ') + 1;
      const length = end === 0 ? waiting.length : end;
      const text = waiting.slice(0, length);
      waiting = waiting.slice(length);
      return pass(text);
    },
    end: () => {
      const text = waiting;
      waiting = '';
      return pass(text);
    },
    hidden: () => hidden,
  };
}
