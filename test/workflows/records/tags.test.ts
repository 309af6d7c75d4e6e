import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listAllTags, removeTags, tagRuns } from '../../../src/workflows/records/tags.ts';
import { readRecords } from '../../../src/workflows/records/read-records.ts';
import { tagText } from '../../../src/cli/text/tag.ts';
import { sampleHome } from './sample-home.ts';

const { home, context, store } = sampleHome();
const [first, second, third] = [store(), store(), store({ case: { mode: 'prism' } })];
const act = { dryRun: false };

async function idsOf(source: string): Promise<string[]> {
  return (await readRecords(context, [source])).records.map(({ record }) => record.runId);
}

describe('a tag', () => {
  it('stands for the runs that were named, once each, and for no later ones', async () => {
    const change = await tagRuns(context, 'base', [first.runId, second.runId.slice(-4), first.runId], act);
    expect(change).toEqual({
      ...{ name: 'base', runIds: [first.runId, second.runId], before: null },
      unfinished: [],
    });
    expect(await idsOf('base')).toEqual([first.runId, second.runId]);
    await tagRuns(context, 'all', ['runs'], act);
    const later = store();
    expect(await idsOf('all')).not.toContain(later.runId);
    rmSync(join(home, 'runs', later.runId), { recursive: true });
  });

  it('is replaced as a whole, and can be made of others', async () => {
    expect(await tagRuns(context, 'base', ['base', 'last'], act)).toMatchObject({
      runIds: [first.runId, second.runId, third.runId],
      before: [first.runId, second.runId],
    });
    expect(readdirSync(join(home, 'tags')).sort()).toEqual(['all.json', 'base.json']);
  });

  it('says which runs it took, and which of them have no result yet', async () => {
    const running = store();
    rmSync(join(home, 'runs', running.runId, 'record.json'));
    const change = await tagRuns(context, 'now', [first.runId, running.runId], { dryRun: true });
    expect(change.unfinished).toEqual([running.runId]);
    const [head, ...lines] = tagText(change, false).split('\n');
    expect(head).toBe('now stands for 2 runs:');
    for (const [line, { runId }] of [
      [lines[0]!, first],
      [lines[1]!, running],
    ] as const) {
      expect(line).toContain(`${runId.split('-')[0]!}...${runId.slice(-4)}`);
      expect(line.includes('no result yet')).toBe(runId === running.runId);
    }
    const many = Array.from({ length: 12 }, (_, index) => `${first.runId.slice(0, -4)}${1000 + index}`);
    const text = tagText({ name: 'm', runIds: many, before: null, unfinished: many.slice(-1) }, true);
    expect(text).toMatch(/and 2 more, 1 of them without a result yet$/);
    rmSync(join(home, 'runs', running.runId), { recursive: true });
  });

  it('writes nothing with --dry-run', async () => {
    await tagRuns(context, 'dry', ['last'], { dryRun: true });
    await removeTags(context, ['all'], { dryRun: true });
    expect((await listAllTags(context)).map(({ name }) => name)).toEqual(['all', 'base']);
  });

  it('says which of its runs were removed since, and names them where it is read', async () => {
    const lost = store();
    await tagRuns(context, 'v1', [first.runId, lost.runId], act);
    rmSync(join(home, 'runs', lost.runId), { recursive: true });
    expect((await listAllTags(context)).find(({ name }) => name === 'v1')?.gone).toEqual([lost.runId]);
    const { records, notes } = await readRecords(context, ['v1']);
    expect(records).toHaveLength(1);
    expect(notes).toEqual([`run ${lost.runId} is not there any more`]);
  });

  it('is forgotten, and its runs stay', async () => {
    await removeTags(context, ['v1', 'all'], act);
    expect((await listAllTags(context)).map(({ name }) => name)).toEqual(['base']);
    await expect(removeTags(context, ['base', 'basement'], act)).rejects.toThrow(
      'there is no tag "basement"',
    );
    expect((await listAllTags(context)).map(({ name }) => name)).toEqual(['base']);
  });

  it.each([
    ['last', 'the word has a meaning of its own'],
    ['runs', 'the word has a meaning of its own'],
    ['../outside', 'expected letters, digits'],
    ['', 'expected letters, digits'],
    ['a b', 'expected letters, digits'],
    ['x'.repeat(65), 'expected letters, digits'],
    ['night', 'a campaign is called so'],
    ['20260102T03', 'begins or ends so'],
    ['0001', 'begins or ends so'],
  ])('cannot be called %j: %s', async (name, problem) => {
    mkdirSync(join(home, 'campaigns', 'night'), { recursive: true });
    await expect(tagRuns(context, name, [first.runId], act)).rejects.toThrow(problem);
  });

  it('may be as short as no part of an id is', async () => {
    await tagRuns(context, '1', [first.runId], act);
    expect(await idsOf('1')).toEqual([first.runId]);
    await removeTags(context, ['1'], act);
  });

  it('needs runs of the state folder: every source that is none is told', async () => {
    const wrong = tagRuns(context, 'x', ['nope', join(home, 'runs'), first.runId], act);
    await expect(wrong).rejects.toThrow(/"nope": /);
    await expect(wrong).rejects.toThrow(/it is a file or folder, and not runs of the state folder/);
  });

  it.each([
    ['{"schemaVersion": 9, "runIds": []}', /schema version 9 is newer than 1/],
    ['{"schemaVersion": 1}', /not a tag that superoffload wrote/],
    ['{', /not valid JSON/],
  ])('that is %s cannot be read, and hides no other', async (text, problem) => {
    writeFileSync(join(home, 'tags', 'odd.json'), text);
    await expect(idsOf('odd')).rejects.toThrow(problem);
    expect((await listAllTags(context)).map(({ name }) => name)).toEqual(['base']);
    // Whoever writes it anew mends it.
    await tagRuns(context, 'odd', [first.runId], act);
    expect(await idsOf('odd')).toEqual([first.runId]);
    await removeTags(context, ['odd'], act);
  });
});
