import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SuperOffloadError } from '../../../src/errors.ts';
import { nameOfGone } from '../../adapters/name-of-gone.ts';
import { hostileRuns, plainRuns, reportHome } from './report-home.ts';

const home = reportHome(plainRuns);
const read = (name: string): string => readFileSync(join(home.out, name), 'utf8');

describe('superoffload report', () => {
  it('writes pages, Markdown and CSV of every run', async () => {
    const result = await home.write();
    expect(readdirSync(home.out).sort()).toEqual(
      ['index.html', 'report.css', 'report.js', 'report.json', 'report.md', 'runs', 'runs.csv'].sort(),
    );
    expect(readdirSync(join(home.out, 'runs'))).toHaveLength(5);
    expect(result).toMatchObject({ runs: 5, files: 11, replaces: false, folder: home.out });
    expect(result.open).toBe(join(home.out, 'index.html'));
    const index = read('index.html');
    for (const page of readdirSync(join(home.out, 'runs'))) expect(index).toContain(`href="runs/${page}"`);
    expect(index).toContain('CUDA out of memory');
    expect(index).toContain('Figure 10');
    expect(read('runs.csv').trimEnd().split('\n')).toHaveLength(6);
    expect(read('report.md')).toContain('# SuperOffload report');
  });

  it('shows on the page of a run its steps, losses, configuration, command and files', async () => {
    await home.write();
    const [name = ''] = readdirSync(join(home.out, 'runs'));
    const page = read(`runs/${name}`);
    expect(page).toContain('Step time');
    expect(page).toContain('10.9 10.8 10.7');
    expect(page).toContain('train_batch_size');
    expect(page).toContain('--lr 1');
    expect(page).not.toContain('abcdef0123456789');
    const href = /href="([^"]*output\.log)"/.exec(page)?.[1] ?? '';
    expect(existsSync(join(home.out, 'runs', decodeURIComponent(href)))).toBe(true);
  });

  it('writes the same bytes again for the same runs at the same time', async () => {
    await home.write();
    const first = readdirSync(home.out, { recursive: true, withFileTypes: true })
      .filter((each) => each.isFile())
      .map((each) => readFileSync(join(each.parentPath, each.name), 'utf8'));
    const { replaces } = await home.write();
    const second = readdirSync(home.out, { recursive: true, withFileTypes: true })
      .filter((each) => each.isFile())
      .map((each) => readFileSync(join(each.parentPath, each.name), 'utf8'));
    expect(replaces).toBe(true);
    expect(second).toEqual(first);
    expect(readdirSync(home.root).filter((name) => name.includes('report'))).toEqual(['report']);
  });

  it('tells what it would write, and writes nothing', async () => {
    const result = await home.write({ out: 'dry', dryRun: true });
    expect(result).toMatchObject({ runs: 5, files: 11, bytes: null });
    expect(existsSync(join(home.root, 'dry'))).toBe(false);
  });

  it('writes only the formats that were asked for', async () => {
    await home.write({ out: 'csv', formats: ['csv'] });
    expect(readdirSync(join(home.root, 'csv')).sort()).toEqual(['report.json', 'runs.csv']);
  });

  it('takes only the runs of one system, and names those that there are', async () => {
    expect((await home.write({ out: 'one', system: 'gh200' })).runs).toBe(1);
    await expect(home.write({ out: 'none', system: 'gb300' })).rejects.toMatchObject({
      code: 'usage',
      hint: expect.stringContaining('gh200') as string,
    });
  });
});

describe('the folder of a report', () => {
  const inRoot = (name: string): string => join(home.root, name);

  it('is not one that holds something else, or an earlier report with a file of the user', async () => {
    mkdirSync(inRoot('mine'));
    writeFileSync(join(inRoot('mine'), 'thesis.tex'), 'x');
    await expect(home.write({ out: 'mine' })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('thesis.tex') as string,
    });
    await home.write({ out: 'kept' });
    writeFileSync(join(inRoot('kept'), 'notes.txt'), 'x');
    await expect(home.write({ out: 'kept' })).rejects.toThrow('notes.txt');
    expect(readFileSync(join(inRoot('kept'), 'notes.txt'), 'utf8')).toBe('x');
  });

  it('may be empty, or a link to one', async () => {
    mkdirSync(inRoot('empty'));
    symlinkSync('empty', inRoot('link'));
    await home.write({ out: 'link' });
    expect(existsSync(join(inRoot('empty'), 'index.html'))).toBe(true);
  });

  it('is not the one that somebody stands in, nor a file', async () => {
    await expect(home.write({ out: '.' })).rejects.toMatchObject({ code: 'usage' });
    await expect(home.write({ out: '..' })).rejects.toMatchObject({ code: 'usage' });
    writeFileSync(inRoot('file'), '');
    await expect(home.write({ out: 'file' })).rejects.toMatchObject({ code: 'usage' });
  });

  it('keeps the earlier report when it is interrupted, and leaves nothing else', async () => {
    await home.write({ out: 'held' });
    const before = readFileSync(join(inRoot('held'), 'index.html'), 'utf8');
    const stop = new AbortController();
    const reason = new SuperOffloadError({ code: 'interrupted', message: 'stopped' });
    const emit = (): void => {
      stop.abort(reason);
    };
    await expect(home.write({ out: 'held' }, { signal: stop.signal, emit })).rejects.toBe(reason);
    expect(readFileSync(join(inRoot('held'), 'index.html'), 'utf8')).toBe(before);
    expect(readdirSync(home.root).filter((name) => name.startsWith('.held'))).toEqual([]);
  });

  it('is not replaced where the user laid a file among its pages, or came with one while the new one was made', async () => {
    await home.write({ out: 'pages' });
    const note = join(inRoot('pages'), 'runs', 'notes.txt');
    writeFileSync(note, 'mine');
    await expect(home.write({ out: 'pages' })).rejects.toThrow('runs/notes.txt');
    await home.write({ out: 'late' });
    const late = join(inRoot('late'), 'thesis.tex');
    const emit = (): void => {
      writeFileSync(late, 'mine');
    };
    await expect(home.write({ out: 'late' }, { emit })).rejects.toThrow(/got something else.*thesis/);
    expect([note, late].map((file) => readFileSync(file, 'utf8'))).toEqual(['mine', 'mine']);
    expect(readdirSync(home.root).filter((name) => name.startsWith('.late'))).toEqual([]);
  });

  it('is none because its marker says so: what no report has in it stays', async () => {
    mkdirSync(inRoot('trap'));
    writeFileSync(
      join(inRoot('trap'), 'report.json'),
      '{"kind":"superoffload-report","names":["src",".git"]}',
    );
    mkdirSync(join(inRoot('trap'), 'src'));
    await expect(home.write({ out: 'trap' })).rejects.toThrow('"src"');
  });

  it('is put back where a killed command had moved it away, and what that left is removed', async () => {
    await home.write({ out: 'moved' });
    const aside = nameOfGone(inRoot('moved'));
    mkdirSync(aside);
    renameSync(inRoot('moved'), `${aside}.old`);
    const stop = new AbortController();
    const emit = (): void => {
      stop.abort(new SuperOffloadError({ code: 'interrupted', message: 'stopped' }));
    };
    await expect(home.write({ out: 'moved' }, { emit, signal: stop.signal })).rejects.toThrow('stopped');
    expect(existsSync(join(inRoot('moved'), 'index.html'))).toBe(true);
    expect(readdirSync(home.root).filter((name) => name.startsWith('.moved'))).toEqual([]);
  });

  it('names its own place where it cannot be written, before anything is read', async () => {
    writeFileSync(inRoot('file'), '');
    const refused = {
      code: 'environment',
      message: `--out ${inRoot('file')}: a part of the path is not a folder`,
    };
    await expect(home.write({ out: 'file/report' })).rejects.toMatchObject(refused);
    await expect(home.write({ out: 'file/report', dryRun: true })).rejects.toMatchObject(refused);
  });

  it('needs a run', async () => {
    mkdirSync(inRoot('nothing'));
    await expect(home.write({ out: 'x' }, { home: inRoot('nothing') })).rejects.toMatchObject({
      code: 'environment',
      message: expect.stringContaining('no run') as string,
    });
  });
});

describe('records that mean harm', () => {
  const bad = reportHome(hostileRuns());

  it('become text in every file', async () => {
    const { runs } = await bad.write();
    expect(runs).toBe(hostileRuns().length);
    for (const name of readdirSync(bad.out, { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.html')) continue;
      const page = readFileSync(join(bad.out, name), 'utf8');
      const own = page.replace(/<script(?: src="[./\w]*")?>|<style>/g, '');
      expect(own, name).not.toMatch(/<(?:script|img|iframe|a href="[^"]*:|style)\b/i);
      expect(page.match(/<script/g), name).toHaveLength(1);

      expect(page, name).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
    }
  });

  it('make no formula of a spreadsheet, and no line of Markdown', () => {
    const csv = readFileSync(join(bad.out, 'runs.csv'), 'utf8');
    expect(csv).not.toMatch(/(?:^|,)"?[=+@]/m);
    const markdown = readFileSync(join(bad.out, 'report.md'), 'utf8');
    expect(markdown).not.toMatch(/<(?!br>)/);
    expect(markdown).not.toMatch(/(?<!\\)\]\((?!runs\/)/);
  });

  it('do not make the report large', () => {
    expect(readFileSync(join(bad.out, 'index.html')).length).toBeLessThan(2_000_000);
  });
});
