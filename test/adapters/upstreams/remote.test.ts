import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fetchInto, refusal, text } from './fetching.ts';
import { git, makeBare, makeFolder, makeUpstream } from './repositories.ts';
import { backend, httpRemote, plainFiles, serve } from './servers.ts';

const historyOf = (directory: string): number => Number(git(directory, 'rev-list', '--count', 'HEAD'));

describe('a server over HTTP', () => {
  it('gives the pinned commit alone', async () => {
    const { url, second } = await httpRemote();
    const directory = join(makeFolder(), 'm');
    const tree = await fetchInto(directory, { source: url, commit: second });
    expect([tree.url, tree.commit]).toEqual([url, second]);
    expect(historyOf(directory)).toBe(1);
  });

  it('that gives no commit by its name (protocol 0): the branch is fetched, and the commit is found in it', async () => {
    const { url, second } = await httpRemote({ protocol: 0 });
    const directory = join(makeFolder(), 'm');
    await fetchInto(directory, { source: url, commit: second });
    expect(text(directory, 'megatron/training.py')).toBe('second\n');
    expect(historyOf(directory)).toBe(2);
  });

  it('that gives no commit by its name, and the commit is on another branch or on none', async () => {
    const { url, second } = await httpRemote({ protocol: 0 });
    const directory = join(makeFolder(), 'm');
    expect((await fetchInto(directory, { source: url, ref: 'main', commit: second })).commit).toBe(second);
    const missing = '1'.repeat(40);
    const error = await refusal(fetchInto(join(makeFolder(), 'm'), { source: url, ref: missing }));
    expect(error.message).toContain(`has no commit ${missing}`);
  });

  it('that has plain files only (dumb)', async () => {
    const upstream = makeUpstream();
    const bare = makeBare(upstream);
    git(bare, 'update-server-info');
    const url = `${await serve(plainFiles(dirname(bare)))}/upstream.git`;
    const directory = join(makeFolder(), 'm');
    await fetchInto(directory, { source: url, commit: upstream.second });
    expect(text(directory, 'megatron/training.py')).toBe('second\n');
  });

  it('with a login in the URL: it is used, and neither shown nor stored', async () => {
    const bare = makeBare(makeUpstream());
    const open = backend(dirname(bare));
    const address = await serve((request, response) => {
      const isRight =
        request.headers.authorization === `Basic ${Buffer.from('me:sesame').toString('base64')}`;
      if (isRight) open(request, response);
      else response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
    });
    const directory = join(makeFolder(), 'm');
    const lines: string[] = [];
    const onLine = (line: string): void => void lines.push(line);
    const source = `${address.replace('//', '//me:sesame@')}/upstream.git`;
    const tree = await fetchInto(directory, { source }, { onLine });
    expect(tree.url).toBe(`${address}/upstream.git`);
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8', withFileTypes: true });
    const stored = files.filter((file) => file.isFile()).map((file) => text(file.parentPath, file.name));
    expect(stored.length).toBeGreaterThan(10);
    expect(`${JSON.stringify(tree)}${lines.join('\n')}${stored.join('\n')}`).not.toContain('sesame');
    const error = await refusal(
      fetchInto(join(makeFolder(), 'm'), { source: source.replace('sesame', 'wrong-word') }),
    );
    expect(`${error.message} ${error.hint ?? ''}`).toContain('Authentication failed');
    expect(`${error.message} ${error.hint ?? ''}`).not.toContain('wrong-word');
    expect(error.hint).toContain('No password is asked for here');
  });

  it('that is away twice is asked again, with a line for each time', async () => {
    const bare = makeBare(makeUpstream());
    const open = backend(dirname(bare));
    let requests = 0;
    const address = await serve((request, response) => {
      if (++requests <= 2) response.writeHead(503).end();
      else open(request, response);
    });
    const lines: string[] = [];
    const onLine = (line: string): void => void lines.push(line);
    const directory = join(makeFolder(), 'm');
    await fetchInto(directory, { source: `${address}/upstream.git` }, { onLine });
    const waits = lines.filter((line) => line.includes('again in'));
    expect(waits.map((line) => line.split(': ').at(-1))).toEqual([
      'no connection; again in 0.01 s',
      'no connection; again in 0.02 s',
    ]);
  });

  it('that stays away: four attempts, then the command to try', async () => {
    let requests = 0;
    const address = await serve((_request, response) => {
      requests++;
      response.writeHead(503).end();
    });
    const error = await refusal(fetchInto(join(makeFolder(), 'm'), { source: `${address}/x.git` }));
    expect(requests).toBe(4);
    expect(error.message).toContain('error: 503');
    expect(error.hint).toContain(`Try by hand: git ls-remote ${address}/x.git`);
  });

  it.each([
    ['404', 404, 'There is no repository at'],
    ['403', 403, 'No password is asked for here'],
  ])('that answers %s is asked once', async (_title, status, hint) => {
    let requests = 0;
    const address = await serve((_request, response) => {
      requests++;
      response.writeHead(status).end();
    });
    const error = await refusal(fetchInto(join(makeFolder(), 'm'), { source: `${address}/x.git` }));
    expect(requests).toBe(1);
    expect(error.hint).toContain(hint);
  });
});
