import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { LogTail } from '../../src/adapters/log-tail.ts';

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
    expect(tail.read()).toEqual([]);
    writeFileSync(path, 'a\n');
    expect(tail.read()).toEqual(['a']);
    expect(tail.end()).toEqual([]);
  });

  it('keeps half a line until it is whole, and gives it at the end all the same', () => {
    const path = newFile();
    const tail = new LogTail(path);
    writeFileSync(path, 'one\ntw');
    expect(tail.read()).toEqual(['one']);
    appendFileSync(path, 'o\n\nthr');
    expect(tail.read()).toEqual(['two', '']);
    expect(tail.end()).toEqual(['thr']);
    expect(tail.end()).toEqual([]);
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

  it('reads lines longer than its buffer', () => {
    const path = newFile();
    const long = 'x'.repeat(700_000);
    writeFileSync(path, `${long}\nend\n`);
    expect(new LogTail(path).read()).toEqual([long, 'end']);
  });
});
