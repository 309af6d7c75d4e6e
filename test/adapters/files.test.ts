import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeFolder, parseJson, readJson, storageError, writeJsonAtomic } from '../../src/adapters/files.ts';
import { SuperOffloadError } from '../../src/errors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'files-'));
});

describe('makeFolder', () => {
  it('makes all levels, also when many do at once, and takes what is there', async () => {
    const path = join(folder, 'a/b/c/d');
    await Promise.all(Array.from({ length: 20 }, () => makeFolder(path)));
    await makeFolder(path);
    expect(readdirSync(join(folder, 'a/b/c'))).toEqual(['d']);
  });

  it.each([
    ['/proc/superoffload/deep/er', 'ENOENT'],
    [`/tmp/${'x'.repeat(300)}/y`, 'ENAMETOOLONG'],
    [join(import.meta.filename, 'x/y'), 'ENOTDIR'],
    [import.meta.filename, 'EEXIST'],
  ])('gives up at once for %s', { timeout: 2_000 }, async (path, code) => {
    await expect(makeFolder(path)).rejects.toMatchObject({ code });
  });
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

  it('with a key that is there twice are refused: nobody can know which value was meant', async () => {
    const path = join(folder, 'twice.json');
    writeFileSync(path, '{\n  "a": 1,\n  "a": 2\n}');
    await expect(readJson(path)).rejects.toThrow(`${path}:3:3: not valid JSON: the key "a" is there twice`);
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

  it.each(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'ENOENT', 'ENAMETOOLONG', 'ELOOP'])(
    '%s has a reason and a way out',
    (code) => {
      const error = storageError(Object.assign(new Error(code), { code }), '/state');
      expect(error).toMatchObject({
        code: 'environment',
        hint: expect.stringContaining('SUPEROFFLOAD_HOME') as string,
      });
    },
  );
});
