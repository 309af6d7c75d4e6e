import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findDataset } from '../../src/adapters/dataset/data-file.ts';
import { SuperOffloadError } from '../../src/errors.ts';
import { makeFromText, type TextOptions } from '../../src/workflows/dataset/text.ts';
import {
  contextIn,
  megatronFile,
  megatronMissing,
  tokenizerPython,
  tokenizersMissing,
  withMegatron,
} from './python.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "superoffload's text "));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(name: string, content: string | Buffer): string {
  writeFileSync(join(folder, name), content);
  return name;
}

const options = (texts: string[], out: string, change: Partial<TextOptions> = {}): TextOptions => ({
  ...{ texts, out, vocab: undefined, merges: undefined, vocabulary: 400, stack: undefined, dryRun: false },
  ...change,
});

const make = (given: TextOptions, hasTokenizers = true) =>
  makeFromText(contextIn(folder, hasTokenizers), given);

async function refusal(work: Promise<unknown>): Promise<SuperOffloadError> {
  const error: unknown = await work.catch((caught: unknown) => caught);
  if (!(error instanceof SuperOffloadError)) throw new Error(`no refusal: ${String(error)}`);
  return error;
}

const prose = readFileSync(join(import.meta.dirname, '../../LICENSE'), 'utf8');
/** What a tokenizer may get wrong: signs of every width, white space of every kind, and the name of the end. */
const signs = "Größe, 日本語, 🙂 it's <|endoftext|>\t\r\n\n  two  spaces \n\n\n end ";

describe('what dataset make refuses', () => {
  it('every file that is no text, all at once, with the place', async () => {
    const late = Buffer.concat([Buffer.alloc(2 ** 20 - 1, 'a'), Buffer.from('é'), Buffer.from([0xff])]);
    const texts = [
      write('empty.txt', ''),
      write('blank.txt', ' \n\t\n'),
      write('latin.txt', Buffer.from('gr\xfcn', 'latin1')),
      write('late.txt', late),
      write('cut.txt', Buffer.from('é').subarray(0, 1)),
      'missing.txt',
      write(
        'lines.jsonl',
        '{"text": "a"}\n{"text": 1}\n\n{"txt": "a"}\n[\n{"text": "\\ud83d"}\n{"text": "\\ud83d\\ude42"}\n',
      ),
    ];
    mkdirSync(join(folder, 'folder.txt'));
    const { code, message } = await refusal(make(options([...texts, 'folder.txt'], 'refused')));
    expect(code).toBe('usage');
    expect(message.replaceAll(`${folder}/`, '').split('\n')).toEqual([
      'empty.txt: is empty',
      'blank.txt: has nothing but white space',
      'latin.txt: is not UTF-8: byte 0xfc at offset 2 (expected text in UTF-8)',
      'late.txt: is not UTF-8: byte 0xff at offset 1048577 (expected text in UTF-8)',
      'cut.txt: is not UTF-8: byte 0xc3 at offset 0 (expected text in UTF-8)',
      'missing.txt: there is no such file',
      'lines.jsonl:2: "text" is no string (expected {"text": "..."})',
      'lines.jsonl:4: has no "text" (expected {"text": "..."})',
      'lines.jsonl:5: is not JSON (expected {"text": "..."})',
      'lines.jsonl:6: "text" has half a surrogate pair, which is no character (expected {"text": "..."})',
      'folder.txt: is a folder (expected a file of text)',
    ]);
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });

  it('a vocabulary without room for all bytes, one file of two, and a folder that has a data set', async () => {
    mkdirSync(join(folder, 'taken'));
    for (const name of ['text_document.idx', 'vocab.json']) write(`taken/${name}`, 'x');
    const text = write('fine.txt', 'fine');
    const small = await refusal(make(options([text], 'taken', { vocabulary: 256 })));
    expect(small.message).toContain('--vocab-size: is 256 (expected 257 or more');
    expect(small.message).toContain('taken/text_document.idx is there already');
    expect(small.message).toContain('taken/vocab.json is there already');
    const alone = await refusal(make(options([text], 'new', { vocab: 'nowhere.json' })));
    expect(alone.message).toContain('--vocab: is given alone');
    expect(alone.message).toContain('--vocab: nowhere.json: there is no such file');
  });

  it('a stack without the library, naming the command that installs it', async () => {
    const { code, message, hint } = await refusal(make(options([write('ok.txt', 'ok')], 'new'), false));
    expect(code).toBe('environment');
    expect(message).toContain('package tokenizers');
    expect(hint).toBe('run: superoffload install --with megatron');
  });
});

describe.skipIf(tokenizersMissing !== null)(
  `dataset make --text (${tokenizersMissing ?? 'real tokenizers'})`,
  () => {
    it('makes documents of files and of lines, each with its end, and leaves nothing beside them', async () => {
      const texts = [
        write('prose.txt', prose),
        write('two.jsonl', `{"text":\r${JSON.stringify(signs)}}\n\n${JSON.stringify({ text: '', id: 1 })}\n`),
      ];
      const dry = await make(options(texts, 'made', { dryRun: true }));
      expect(dry).toMatchObject({ isDryRun: true, documents: 3, tokens: null });
      expect(existsSync(join(folder, 'made'))).toBe(false);
      const report = await make(options(texts, 'made'));
      expect(report).toMatchObject({ documents: 3, vocabulary: 400, type: 'uint16' });
      expect(readdirSync(join(folder, 'made')).sort()).toEqual([
        ...['merges.txt', 'text_document.bin', 'text_document.idx', 'vocab.json'],
      ]);
      const { index, faults } = await findDataset(report.prefix);
      expect(faults).toEqual([]);
      expect(index).toMatchObject({ documents: 3, tokens: report.tokens });
      expect(index?.documentTokens[2]).toBe(1);
      const bin = readFileSync(`${report.prefix}.bin`);
      expect(bin.readUInt16LE(bin.length - 2)).toBe(399);
    });

    it.skipIf(megatronMissing !== null)(
      `gives the tokens of Megatron's own GPT-2 tokenizer (${megatronMissing ?? 'at the pinned commit'})`,
      { timeout: 600_000 },
      async () => {
        // Longer than a piece of the program: where it cuts must not be seen in the tokens.
        const long = `${prose}\n\n${signs}`.repeat(6);
        expect(long.length).toBeGreaterThan(4 * 2 ** 13);
        const given = { vocab: 'made/vocab.json', merges: 'made/merges.txt' };
        const report = await make(
          options([write('long.txt', long), write('signs.txt', signs)], 'again', given),
        );
        const tokenizer = megatronFile('megatron/tokenizer/gpt2_tokenization.py', folder);
        const files = { vocab: report.vocabFile, merges: report.mergeFile };
        const jobs = [long, signs].map((text) => ({ tokenize: text, ...files }));
        const expected = withMegatron(tokenizerPython, tokenizer, jobs) as number[][];
        const bin = readFileSync(`${report.prefix}.bin`);
        const tokens = Array.from({ length: bin.length / 2 }, (_, i) => bin.readUInt16LE(i * 2));
        expect(tokens).toEqual([...expected[0]!, 399, ...expected[1]!, 399]);
        expect(readdirSync(join(folder, 'again')).sort()).toEqual(['text_document.bin', 'text_document.idx']);
      },
    );

    it('takes more files than fit into one argument of a command', async () => {
      const texts = Array.from({ length: 600 }, (_, i) =>
        write(`${'a long name '.repeat(19)}${i}.txt`, `${i}`),
      );
      expect(texts.join('').length).toBeGreaterThan(2 ** 17);
      expect(await make(options(texts, 'many'))).toMatchObject({ documents: 600 });
    });

    it('says what is wrong with a vocabulary that is given', async () => {
      const text = write('short.txt', 'text');
      const merges = write('m.txt', '#version: 0.2\n');
      const bad = async (content: object): Promise<string> => {
        const vocab = write('v.json', JSON.stringify(content));
        return (await refusal(make(options([text], 'bad', { vocab, merges })))).message;
      };
      expect(await bad({ a: 0, b: 2 })).toContain('v.json: expected an object of tokens, each with a number');
      expect(await bad({ a: 0, b: 1 })).toContain('v.json: has no <|endoftext|>');
      expect(await bad({ t: 0, e: 1, x: 2, '<|endoftext|>': 3 })).toContain(
        'v.json: has no token for 253 of the 256 bytes',
      );
      expect(readdirSync(join(folder, 'bad'))).toEqual([]);
    });
  },
);
