import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lookAtSource } from '../../../src/adapters/upstreams/look.ts';

const folder = mkdtempSync(join(tmpdir(), 'look-'));
const repository = join(folder, 'repository');
mkdirSync(repository);
const git = (...args: string[]): string =>
  execFileSync('git', ['-C', repository, '-c', 'user.name=a', '-c', 'user.email=a@b.c', ...args], {
    encoding: 'utf8',
  });
git('init', '--quiet', '--initial-branch=superoffload');
git('commit', '--quiet', '--allow-empty', '-m', 'first');

const look = (address: string, ref = 'superoffload') => {
  const kind = address.includes('://') ? ('url' as const) : ('path' as const);
  return lookAtSource(
    {
      name: 'megatron',
      source: { kind, address, shown: address },
      ref: { kind: 'name', name: ref },
      commit: null,
      directory: join(folder, 'tree'),
    },
    folder,
    { signal: new AbortController().signal, env: process.env, cwd: folder, pausesMs: [] },
  );
};

describe('lookAtSource', () => {
  it('finds nothing to say of a repository that has the ref', async () => {
    await expect(look(repository)).resolves.toBeUndefined();
    await expect(look(`file://${repository}`)).resolves.toBeUndefined();
  });

  it.each([
    ['a path that is not there', join(folder, 'nothing'), 'superoffload', /is not there/],
    ['a folder that is no repository', folder, 'superoffload', /git repository/],
    [
      'a remote without that ref',
      repository,
      'superofload',
      /no branch or tag "superofload".*"superoffload"/,
    ],
    ['a remote that is not there', `file://${folder}/nothing`, 'superoffload', /nothing/],
  ])('says what a fetch would say of %s', async (_what, address, ref, message) => {
    await expect(look(address, ref)).rejects.toMatchObject({
      code: 'environment',
      message: expect.stringMatching(message) as string,
    });
  });
});
