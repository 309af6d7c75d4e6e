import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseJson, readJson, storageError, writeJsonAtomic } from '../../src/adapters/files.ts';
import { SuperOffloadError } from '../../src/errors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'files-'));
});

describe('JSON files', () => {
  it('are written whole, over an old one, with the folder made, and leave nothing else behind', async () => {
    const path = join(folder, 'a/b/lock.json');
    await writeJsonAtomic(path, { old: 'x'.repeat(1000) });
    await writeJsonAtomic(path, { new: 1 });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ new: 1 });
    expect(readdirSync(join(folder, 'a/b'))).toEqual(['lock.json']);
  });

  it('that are absent are undefined', async () => {
    expect(await readJson(join(folder, 'none.json'))).toBeUndefined();
  });

  it.each([
    ['{\n  "a": 1,\n  "b": oops\n}', ':3:8:'],
    ['{"a": [1, 2', ':1:12:'],
    ['', ':1:1:'],
  ])('with a syntax error name line and column: %j', async (text, place) => {
    const path = join(folder, 'broken.json');
    writeFileSync(path, text);
    const error: unknown = await readJson(path).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'config' });
    expect((error as Error).message).toContain(`${path}${place}`);
    expect(() => parseJson(text, 'x')).toThrow(SuperOffloadError);
  });

  it('that cannot be written are an expected error of the environment, and the temporary file is gone', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(writeJsonAtomic(join(folder, 'file/lock.json'), {})).rejects.toMatchObject({
      code: 'environment',
    });
    // A folder in the file's place: rename fails after the temporary file was written.
    mkdirSync(join(folder, 'taken/inside'), { recursive: true });
    await expect(writeJsonAtomic(join(folder, 'taken'), {})).rejects.toThrow();
    expect(readdirSync(folder).sort()).toEqual(['file', 'taken']);
  });

  it.each(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES'])('%s has a reason and a way out', (code) => {
    const error = storageError(Object.assign(new Error(code), { code }), '/state');
    expect(error).toMatchObject({
      code: 'environment',
      hint: expect.stringContaining('SUPEROFFLOAD_HOME') as string,
    });
  });
});
