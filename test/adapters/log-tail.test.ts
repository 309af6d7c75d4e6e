import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { FileTail, LogTail } from '../../src/adapters/log-tail.ts';

const folder = mkdtempSync(join(tmpdir(), 'log-tail-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
let counter = 0;
const newFile = (): string => join(folder, String((counter += 1)));

describe('LogTail', () => {
  it('waits for a file that does not exist yet', () => {
    const path = newFile();
    const tail = new LogTail(path);
    expect([...tail.read()]).toEqual([]);
    writeFileSync(path, 'a\n');
    expect([...tail.read()]).toEqual(['a']);
    expect([...tail.end()]).toEqual([]);
  });

  it('keeps half a line until it is whole, and gives it at the end all the same', () => {
    const path = newFile();
    const tail = new LogTail(path);
    writeFileSync(path, 'one\ntw');
    expect([...tail.read()]).toEqual(['one']);
    appendFileSync(path, 'o\n\nthr');
    expect([...tail.read()]).toEqual(['two', '']);
    expect([...tail.end()]).toEqual(['thr']);
    expect([...tail.end()]).toEqual([]);
  });

  it('reads the same lines however the bytes come, also within a character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 60 }),
        fc.array(fc.nat({ max: 200 })),
        (text, cuts) => {
          const path = newFile();
          const tail = new LogTail(path);
          const bytes = Buffer.from(text);
          const places = [...new Set(cuts.map((cut) => Math.min(cut, bytes.length)))].sort((a, b) => a - b);
          const lines: string[] = [];
          let from = 0;
          for (const to of [...places, bytes.length]) {
            appendFileSync(path, bytes.subarray(from, to));
            from = to;
            lines.push(...tail.read());
          }
          lines.push(...tail.end());
          const expected = text.split('\n');
          expect(lines).toEqual(expected.at(-1) === '' ? expected.slice(0, -1) : expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('gives the beginning of a line that is longer than any log line, and then the next', () => {
    const path = newFile();
    writeFileSync(path, `${'x'.repeat(700_000)}\nend\n`);
    expect([...new LogTail(path).read()]).toEqual(['x'.repeat(65_536), 'end']);
  });

  it('reads 64 MiB without a line feed in a moment, and holds next to nothing of it', () => {
    const path = newFile();
    for (let part = 0; part < 16; part += 1) appendFileSync(path, Buffer.alloc(2 ** 22, 120));
    const before = performance.now();
    const lines = [...new LogTail(path).end()];
    expect(performance.now() - before).toBeLessThan(1_500);
    expect(lines.map(({ length }) => length)).toEqual([65_536]);
  });

  it('ends although the log grows while it is read', () => {
    const path = newFile();
    writeFileSync(path, 'a\nb\n');
    const lines: string[] = [];
    for (const line of new LogTail(path).read()) {
      lines.push(line);
      appendFileSync(path, 'more\n');
    }
    expect(lines).toEqual(['a', 'b']);
  });
});

describe('FileTail', () => {
  it('gives every byte once, in pieces of bounded size', () => {
    const path = newFile();
    const tail = new FileTail(path);
    expect([...tail.pieces()]).toEqual([]);
    const bytes = Buffer.from(Array.from({ length: 1_000_003 }, (_, index) => index % 251));
    writeFileSync(path, bytes);
    const pieces: Buffer[] = [];
    for (const piece of tail.pieces()) pieces.push(Buffer.from(piece));
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(2 ** 18);
    expect([...tail.pieces()]).toEqual([]);
  });
});
