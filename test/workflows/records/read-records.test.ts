import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRecordFiles } from '../../../src/adapters/record-files.ts';
import { writeTag } from '../../../src/adapters/tag-store.ts';
import { readRecords } from '../../../src/workflows/records/read-records.ts';
import { sampleHome, sampleRecord } from './sample-home.ts';

const { root, home, context, store } = sampleHome();
const first = store();
const second = store({ case: { mode: 'prism' } });
const third = store({ case: { mode: 'zero_3' } });
const elsewhere = sampleRecord({ case: { mode: 'ddp' } }, 70);
const runs = join(home, 'runs');

async function idsOf(...sources: string[]): Promise<string[]> {
  return (await readRecords(context, sources)).records.map(({ record }) => record.runId);
}

function file(name: string, text: string | Uint8Array): string {
  writeFileSync(join(root, name), text);
  return name;
}

describe('what a source may be', () => {
  it('all runs, oldest first, with their folders', async () => {
    const { records, notes } = await readRecords(context, []);
    expect(records.map(({ record }) => record)).toEqual([first, second, third].map((each) => ({ ...each })));
    expect(records[0]?.folder).toBe(join(runs, first.runId));
    expect(records.map(({ source }) => source)).toEqual(['runs', 'runs', 'runs']);
    expect(notes).toEqual([]);
  });

  it('a run: its id, the beginning or the end of it, or the last', async () => {
    expect(await idsOf(second.runId)).toEqual([second.runId]);
    expect(await idsOf(second.runId.slice(0, 16))).toEqual([second.runId]);
    expect(await idsOf(second.runId.slice(-4))).toEqual([second.runId]);
    expect(await idsOf('last')).toEqual([third.runId]);
  });

  it('a folder: of one run, of runs, of copies under other names, a state folder', async () => {
    expect(await idsOf(`home/runs/${first.runId}`)).toEqual([first.runId]);
    expect(await idsOf('./home/runs')).toHaveLength(3);
    expect(await idsOf('home')).toHaveLength(3);
    mkdirSync(join(root, 'copies'));
    cpSync(join(runs, first.runId), join(root, 'copies', 'before'), { recursive: true });
    expect(await idsOf('copies')).toEqual([first.runId]);
  });

  it('a file: one record, a list, a line each, what a command printed', async () => {
    const [a, b] = [first, elsewhere].map((record) => JSON.stringify(record)) as [string, string];
    expect(await idsOf(`home/runs/${first.runId}/record.json`)).toEqual([first.runId]);
    expect(await idsOf(file('list.json', `[${a},${b}]`))).toEqual([first.runId, elsewhere.runId]);
    expect(await idsOf(file('lines.ndjson', `${a}\n\n${b}\n`))).toEqual([first.runId, elsewhere.runId]);
    expect(await idsOf(file('printed.json', `{"records": [${a}, ${b}], "summaries": []}`))).toHaveLength(2);
  });

  it('a tag, and not a file of the same name', async () => {
    const tag = {
      schemaVersion: 1,
      name: 'base',
      runIds: [first.runId, second.runId],
      writtenUtc: '',
    } as const;
    await writeTag(home, tag);
    expect(await idsOf('base')).toEqual([first.runId, second.runId]);
    file('base', JSON.stringify(elsewhere));
    const { records, notes } = await readRecords(context, ['base']);
    expect(records).toHaveLength(2);
    expect(notes).toEqual(['base: the tag, not ./base']);
    expect(await idsOf('./base')).toEqual([elsewhere.runId]);
  });

  it('a campaign: the runs of its journal that are cells of it', async () => {
    const folder = join(home, 'campaigns', 'night');
    mkdirSync(folder, { recursive: true });
    const cell = { key: 'k', caseId: first.caseId, title: '', case: first.case, withWhat: {} };
    const campaign = { schemaVersion: 1, name: 'night', cells: [cell], variants: [], options: {} };
    writeFileSync(join(folder, 'campaign.json'), JSON.stringify(campaign));
    const line = (type: string, key: string, runId: string): string =>
      JSON.stringify({ type, utc: '', key, runId, outcome: 'ok', durationMs: 1 });
    const journal = [
      line('adopted', 'k', first.runId),
      line('attempt', 'k', third.runId),
      line('attempt', 'k', 'gone'),
      line('void', 'k', 'gone'),
      line('result', 'of another campaign', second.runId),
    ];
    writeFileSync(join(folder, 'journal.ndjson'), `${journal.join('\n')}\n`);
    expect(await idsOf('night')).toEqual([first.runId, third.runId]);
    await writeTag(home, { schemaVersion: 1, name: 'night', runIds: [], writtenUtc: '' });
    await expect(idsOf('night')).rejects.toThrow(/night: it is a tag and a campaign/);
  });

  it('a run that several sources name counts once', async () => {
    expect(await idsOf('list.json', 'runs', first.runId, 'runs')).toHaveLength(4);
    const { records } = await readRecords(context, ['list.json', first.runId]);
    expect(records[0]).toMatchObject({ folder: join(runs, first.runId) });
  });

  it('leaves files closed whose folder says that the case is not wanted', async () => {
    const damaged = join(runs, third.runId, 'record.json');
    const good = readFileSync(damaged, 'utf8');
    writeFileSync(damaged, '{');
    const { records, notes } = await readRecords(context, ['runs'], {
      mayPass: (caseId) => caseId === first.caseId,
    });
    expect(records.map(({ record }) => record.runId)).toEqual([first.runId]);
    expect(notes).toEqual([]);
    writeFileSync(damaged, good);
  });
});

describe('what cannot be used', () => {
  it.each([
    ['newer', { ...first, schemaVersion: 7 }, /record\.json: schema version 7 is newer than 1/],
    ['damaged', { ...first, stepMs: [null] }, /record\.json: damaged: stepMs\[0\] is no time/],
  ])('%s: a note, and all others are read', async (name, content, note) => {
    const folder = join(runs, `20260102T0400${name.length}0Z-${name}-00ff`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'record.json'), JSON.stringify(content));
    const { records, notes } = await readRecords(context, []);
    expect(records).toHaveLength(3);
    expect(notes).toEqual([expect.stringMatching(note)]);
    rmSync(folder, { recursive: true });
  });

  it('a run without a record and without a plan to make one from', async () => {
    const folder = join(runs, '20260102T050000Z-empty-00ff');
    mkdirSync(folder);
    const { notes } = await readRecords(context, []);
    expect(notes).toEqual(['run 20260102T050000Z-empty-00ff has no record yet']);
    rmSync(folder, { recursive: true });
  });

  it('a cut line among records is a note; a file of nothing else is an error', async () => {
    const name = file('cut.ndjson', `${JSON.stringify(first)}\n{"schemaVersion": 1, "ru`);
    const { records, notes } = await readRecords(context, [name]);
    expect(records).toHaveLength(1);
    expect(notes).toEqual([`${join(root, name)}:2: not valid JSON`]);
    await expect(idsOf(file('no.json', '{"a": 1}'))).rejects.toThrow(
      /no\.json: not a file that superoffload wrote/,
    );
    await expect(idsOf(file('bad.json', '{"a":\n x}'))).rejects.toThrow(/bad\.json:2:2: not valid JSON/);
    await expect(idsOf(file('empty.json', ''))).rejects.toThrow(/empty\.json/);
  });

  it('several sources that are nothing are told at once, with what each could have been', async () => {
    mkdirSync(join(root, 'nothing'));
    const wrong = idsOf('runs', 'nope', './nope', 'nothing', '2026', '');
    await expect(wrong).rejects.toMatchObject({ code: 'usage' });
    await expect(wrong).rejects.toThrow(
      /"nope": .*no run whose id it is, or the beginning or the end of it; there is no tag and no campaign of that name, and no file or folder in /,
    );
    await expect(wrong).rejects.toThrow('./nope: there is no such file or folder');
    await expect(wrong).rejects.toThrow(/nothing: the folder holds no runs \(expected the folder of a run, /);
    await expect(wrong).rejects.toThrow(/2026: it stands for 3 runs: .* \(expected more of the id\)/);
    await expect(wrong).rejects.toThrow(/^"": /m);
  });

  it('a tag of runs that are gone says so', async () => {
    await writeTag(home, {
      schemaVersion: 1,
      name: 'old',
      runIds: ['20250102T050000Z-x-00ff'],
      writtenUtc: '',
    });
    expect((await readRecords(context, ['old'])).notes).toEqual([
      'run 20250102T050000Z-x-00ff is not there any more',
    ]);
  });

  it('an archive by its first bytes, whatever it is called', async () => {
    await expect(idsOf(file('records.json.bak', gzipSync('[]')))).rejects.toThrow(/archive/);
  });

  it('reads the same over a network, several at a time', async () => {
    const damaged = join(root, 'damaged.json');
    writeFileSync(damaged, '{');
    const paths = [first, second, third].map(({ runId }) => join(runs, runId, 'record.json'));
    const all = [...paths, damaged, join(root, 'absent.json')];
    const { signal } = context;
    const [alone, together] = [
      await readRecordFiles(all, signal, false),
      await readRecordFiles(all, signal, true),
    ];
    expect(together).toEqual(alone);
    expect(together.map((each) => (each instanceof Error ? 'error' : each?.runId))).toEqual([
      ...[first.runId, second.runId, third.runId],
      ...['error', undefined],
    ]);
  });

  it('ends at Ctrl-C', async () => {
    const stopped = AbortSignal.abort(new Error('stopped'));
    await expect(readRecords({ ...context, signal: stopped }, [])).rejects.toThrow('stopped');
  });
});
