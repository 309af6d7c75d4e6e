/**
 * Finds where a text stops being JSON (RFC 8259). JSON.parse of Node 20 says so for some errors only, and in words
 * that differ between versions.
 * @returns index of the first character that cannot be there; the text's length when it ends too early; undefined
 * for valid JSON.
 */
export function syntaxErrorIndex(text: string): number | undefined {
  const scanner = new Scanner(text);
  if (!scanner.value()) return scanner.index;
  scanner.space();
  return scanner.index === text.length ? undefined : scanner.index;
}

/** `line:column`, both from 1, of an index into a text. */
export function lineAndColumn(text: string, index: number): string {
  const before = text.slice(0, index);
  return `${before.split('\n').length}:${index - before.lastIndexOf('\n')}`;
}

const string = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const scalar = /(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;

class Scanner {
  index = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  space(): void {
    while (' \t\r\n'.includes(this.text.charAt(this.index)) && this.index < this.text.length) this.index += 1;
  }

  value(): boolean {
    this.space();
    const first = this.text.charAt(this.index);
    if (first === '{') return this.list('}', () => this.take(string) && this.char(':') && this.value());
    if (first === '[') return this.list(']', () => this.value());
    return this.take(first === '"' ? string : scalar);
  }

  /** Items between the bracket at the current place and `close`; on a fault the index stays where it is. */
  private list(close: string, item: () => boolean): boolean {
    this.index += 1;
    if (this.char(close)) return true;
    for (;;) {
      this.space();
      if (!item()) return false;
      if (this.char(close)) return true;
      if (!this.char(',')) return false;
    }
  }

  private char(wanted: string): boolean {
    this.space();
    if (this.text.charAt(this.index) !== wanted) return false;
    this.index += 1;
    return true;
  }

  private take(pattern: RegExp): boolean {
    pattern.lastIndex = this.index;
    const match = pattern.exec(this.text);
    if (match === null) return false;
    this.index += match[0].length;
    return true;
  }
}
