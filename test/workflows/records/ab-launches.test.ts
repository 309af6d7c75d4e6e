import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeTag } from '../../../src/adapters/tag-store.ts';
import { readRecords } from '../../../src/workflows/records/read-records.ts';
import { sampleHome } from './sample-home.ts';

describe('launches of gate --ab', () => {
  const place = sampleHome();
  const plain = place.store();
  const side = place.store({ record: { experiment: 'gate-ab' } });
  const read = async (source: string, withAb = false) => {
    const { records, notes } = await readRecords(place.context, [source], { withAb });
    return { ids: records.map(({ record }) => record.runId), notes };
  };
  const note = '1 launch of gate --ab left out (to read them, name them by id or tag)';

  it('are left out and counted where nobody named them', async () => {
    expect(await read('runs')).toEqual({ ids: [plain.runId], notes: [`runs: ${note}`] });
    expect(await read('home')).toEqual({ ids: [plain.runId], notes: [`home: ${note}`] });
    const text = [plain, side].map((record) => JSON.stringify(record)).join('\n');
    writeFileSync(join(place.root, 'both.ndjson'), text);
    expect((await read('both.ndjson')).ids).toEqual([plain.runId]);
  });

  it('are read by id, by tag, and to be carried', async () => {
    expect(await read(side.runId)).toEqual({ ids: [side.runId], notes: [] });
    await writeTag(place.home, { schemaVersion: 1, name: 'ab', runIds: [side.runId], writtenUtc: '' });
    expect(await read('ab')).toEqual({ ids: [side.runId], notes: [] });
    expect(await read('runs', true)).toEqual({ ids: [plain.runId, side.runId], notes: [] });
  });
});
