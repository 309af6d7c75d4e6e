import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { SuperOffloadError } from '../../../src/errors.ts';
import { startLfsServer, type LfsAnswer, type LfsServer } from './lfs-server.ts';
import * as source from './lfs-source.ts';

const { bin, fetchIt, lfsMissing, refusal, states } = source;

let published: source.Published;
let server: LfsServer;
afterEach(() => {
  server.close();
  rmSync(published.folder, { recursive: true, force: true });
});

const fetched = (): string[] => readdirSync(published.directory).sort();

async function serve(answer: LfsAnswer): Promise<void> {
  published = source.publish(false);
  server = await startLfsServer(answer);
  published.commit({ '.lfsconfig': `[lfs]\n\turl = ${server.url}\n` });
  published.pinUnknownCommit();
}

describe.skipIf(lfsMissing !== null)(`a server of Git LFS (${lfsMissing ?? 'the real client'})`, () => {
  it('that was interrupted is asked for the rest only', async () => {
    await serve('stalls half-way');
    const stop = new AbortController();
    const first = refusal(fetchIt(published, { signal: stop.signal }));
    while (server.from.length === 0) await sleep(20);
    await sleep(500);
    stop.abort(new SuperOffloadError({ code: 'interrupted', message: 'stopped' }));
    expect((await first).code).toBe('interrupted');
    expect(fetched()).toEqual(['.fetch', 't.idx']);
    server.answer = 'whole';
    expect(states(await fetchIt(published))).toEqual(['fetched', 'complete']);
    expect(server.from[0]).toBe(0);
    expect(server.from.at(-1)).toBe(bin.length / 2);
    expect(fetched()).toEqual(['t.bin', 't.idx']);
    expect(source.sha256(readFileSync(join(published.directory, 't.bin')))).toBe(source.binHash);
  });

  it.each([
    ['over its quota', /used up its owner's limit on Git LFS traffic[^]*over its data quota/, /some hours/],
    ['has no object', /does not have the file itself[^]*Object does not exist/, /--source/],
    ['damaged', /expected OID/, /run the same command again/],
  ] as const)(
    '%s: is told so, what came whole stays, and later calls succeed',
    async (answer, message, hint) => {
      await serve(answer);
      const told = await refusal(fetchIt(published));
      expect(told.code).toBe('environment');
      expect(told.message).toMatch(message);
      expect(told.hint).toMatch(hint);
      expect(fetched()).toEqual(['.fetch', 't.idx']);
      server.answer = 'whole';
      expect(states(await fetchIt(published))).toEqual(['fetched', 'complete']);
    },
  );
});
