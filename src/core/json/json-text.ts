import type { Fault } from '../../errors.ts';

/**
 * Reads JSON strictly (RFC 8259) and tells where it is wrong: JSON.parse gives no dependable line and column, and
 * keeps the last of two equal keys without a word.
 */
export type JsonResult =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly faults: readonly Fault[] };

/** @param place the file's name, which each fault's place starts with: `file:line:column`. */
export function parseJson(text: string, place: string): JsonResult {
  const reader = new Reader(text.replace(/^\uFEFF/, ' '), place);
  try {
    const value = reader.document();
    return reader.faults.length === 0 ? { ok: true, value } : { ok: false, faults: reader.faults };
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    return { ok: false, faults: [...reader.faults, error.fault] };
  }
}

class SyntaxFault extends Error {
  readonly fault: Fault;
  constructor(fault: Fault) {
    super(fault.problem);
    this.fault = fault;
  }
}

const numberText = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const stringText = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const words: readonly (readonly [string, unknown])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];
const deepest = 200;

class Reader {
  readonly faults: Fault[] = [];
  private readonly text: string;
  private readonly file: string;
  private at = 0;
  private depth = 0;

  constructor(text: string, file: string) {
    this.text = text;
    this.file = file;
  }

  document(): unknown {
    const value = this.value();
    this.space();
    if (this.at < this.text.length) this.fail(`unexpected ${this.here()} after the end`, 'nothing more');
    return value;
  }

  private value(): unknown {
    this.space();
    const first = this.text[this.at];
    if (first === '{') return this.nested(() => this.object());
    if (first === '[') return this.nested(() => this.array());
    if (first === '"') return this.string();
    const word = words.find(([text]) => this.text.startsWith(text, this.at));
    if (word !== undefined) {
      this.at += word[0].length;
      return word[1];
    }
    const number = this.match(numberText);
    if (number === undefined) this.fail(`unexpected ${this.here()}`, 'a value');
    return Number(number);
  }

  private nested(read: () => unknown): unknown {
    this.depth += 1;
    if (this.depth > deepest) this.fail(`more than ${deepest} levels`, 'a flatter document');
    this.at += 1;
    const value = read();
    this.depth -= 1;
    return value;
  }

  private object(): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    this.list('}', () => {
      this.space();
      const keyAt = this.at;
      if (this.text[this.at] !== '"') this.fail(`unexpected ${this.here()}`, 'a key in double quotes');
      const key = this.string();
      this.space();
      if (this.text[this.at] !== ':') this.fail(`unexpected ${this.here()} after the key "${key}"`, '":"');
      this.at += 1;
      if (entries.has(key)) {
        this.faults.push({
          place: this.place(keyAt),
          problem: `the key "${key}" is there twice`,
          expected: 'each key once',
        });
      }
      entries.set(key, this.value());
    });
    // fromEntries defines `__proto__` as a key like any other.
    return Object.fromEntries(entries);
  }

  private array(): unknown[] {
    const items: unknown[] = [];
    this.list(']', () => items.push(this.value()));
    return items;
  }

  private list(end: string, item: () => void): void {
    this.space();
    if (this.text[this.at] === end) {
      this.at += 1;
      return;
    }
    for (;;) {
      item();
      this.space();
      const next = this.text[this.at];
      if (next !== ',' && next !== end) this.fail(`unexpected ${this.here()}`, `"," or "${end}"`);
      this.at += 1;
      if (next === end) return;
    }
  }

  private string(): string {
    const quoted = this.match(stringText);
    if (quoted === undefined)
      this.fail('the text in quotes is cut short or has a bad escape', 'a closing quote');
    return JSON.parse(quoted) as string;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }

  private space(): void {
    while (' \t\r\n'.includes(this.text[this.at] ?? '?')) this.at += 1;
  }

  private here(): string {
    return this.at >= this.text.length ? 'end of the file' : JSON.stringify(this.text[this.at]);
  }

  private fail(problem: string, expected: string): never {
    throw new SyntaxFault({ place: this.place(this.at), problem, expected });
  }

  private place(at: number): string {
    const before = this.text.slice(0, at).split('\n');
    return `${this.file}:${before.length}:${(before[before.length - 1]?.length ?? 0) + 1}`;
  }
}
