import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { fetchInto, refusal } from './fetching.ts';
import { git, gitEnv, makeBare, makeFolder, makeUpstream } from './repositories.ts';

const historyOf = (directory: string): number => Number(git(directory, 'rev-list', '--count', 'HEAD'));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** git's own daemon over a folder; skips the test where git has none. */
async function daemon(context: TestContext, root: string): Promise<string> {
  if (!existsSync(join(git(root, '--exec-path').trim(), 'git-daemon')))
    context.skip('this git has no daemon');
  const port = await freePort();
  const listen = [
    '--listen=127.0.0.1',
    `--port=${port}`,
    `--base-path=${root}`,
    '--export-all',
    '--reuseaddr',
  ];
  const child = spawn('git', ['daemon', ...listen, root], { env: gitEnv, stdio: 'ignore', detached: true });
  onTestFinished(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  });
  for (let tries = 0; tries < 100; tries++) {
    const url = `git://127.0.0.1:${port}/upstream.git`;
    if (spawnSync('git', ['ls-remote', url], { env: gitEnv }).status === 0) return url;
    await sleep(50);
  }
  throw new Error('the daemon does not answer');
}

describe('a server of the git protocol', () => {
  it('gives the pinned commit; what it does not export is missing', async (context) => {
    const upstream = makeUpstream();
    const url = await daemon(context, dirname(makeBare(upstream)));
    const directory = join(makeFolder(), 'm');
    await fetchInto(directory, { source: url, commit: upstream.second });
    expect(historyOf(directory)).toBe(1);
    const error = await refusal(
      fetchInto(join(makeFolder(), 'm'), { source: url.replace('upstream.git', 'none') }),
    );
    expect(error.hint).toContain('There is no repository at');
  });
});

describe('a server over ssh', () => {
  /** What runs for `ssh`: it says what it was called with, then does `script`. */
  function ssh(script: string): { readonly env: Record<string, string>; readonly log: string } {
    const folder = makeFolder();
    writeFileSync(join(folder, 'ssh'), `#!/bin/sh\necho "$@" >> '${folder}/log'\n${script}\n`);
    chmodSync(join(folder, 'ssh'), 0o755);
    return { env: { ...gitEnv, PATH: `${folder}:${gitEnv.PATH}` }, log: join(folder, 'log') };
  }

  it('gives the commit, by both spellings', async () => {
    const upstream = makeUpstream();
    const bare = makeBare(upstream);
    // The last argument is the command for the other side, as ssh would run it there.
    const { env, log } = ssh('for last; do :; done; exec sh -c "$last"');
    for (const source of [
      `ssh://git@host.invalid${bare.replace(' ', '%20')}`,
      'git@host.invalid:upstream.git',
    ]) {
      const path = { ...env, HOME: dirname(bare) };
      const script = source.startsWith('ssh:')
        ? path
        : { ...path, GIT_SSH_COMMAND: `cd '${dirname(bare)}' && ssh` };
      const tree = await fetchInto(
        join(makeFolder(), 'm'),
        { source, commit: upstream.head },
        { env: script },
      );
      expect(tree.commit).toBe(upstream.head);
    }
    for (const line of readFileSync(log, 'utf8').trim().split('\n'))
      expect(line).toContain('-o BatchMode=yes');
  });

  it('whose key is not known is an error with the command that asks', async () => {
    const { env } = ssh('echo "Host key verification failed." >&2; exit 255');
    const error = await refusal(
      fetchInto(join(makeFolder(), 'm'), { source: 'git@host.invalid:x.git' }, { env }),
    );
    expect(error.hint).toBe(
      "No question is asked here: connect once by hand to accept the host's key: git ls-remote git@host.invalid:x.git",
    );
  });
});
