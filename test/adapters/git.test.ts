import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GitError, openGit, type GitOptions } from '../../src/adapters/git.ts';
import { SuperOffloadError } from '../../src/errors.ts';
import { git, gitEnv, makeFolder, write } from './upstreams/repositories.ts';
import { processesNaming, serve } from './upstreams/servers.ts';

const options = (more: Partial<GitOptions> = {}): GitOptions => ({
  signal: new AbortController().signal,
  env: gitEnv,
  ...more,
});

async function failure(work: Promise<unknown>): Promise<GitError> {
  const error: unknown = await work.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  if (error instanceof GitError) return error;
  throw error;
}

/** A TCP server that takes every connection and never says a word. @returns its port. */
async function silentServer(): Promise<number> {
  const server = createServer(() => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A program of this name that comes first on the PATH of a command. */
function program(name: string, script: string): { readonly PATH: string } {
  const folder = makeFolder();
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
  return { PATH: `${folder}:${gitEnv.PATH}` };
}

describe('a command', () => {
  it('returns the whole of a long output', async () => {
    const folder = makeFolder();
    git(folder, 'init', '--quiet');
    const line = `${'x'.repeat(99)}\n`;
    write(folder, { 'long.txt': line.repeat(50_000) });
    git(folder, 'add', '--all');
    const opened = await openGit(folder, options());
    expect(await opened.run(['cat-file', 'blob', ':long.txt'])).toHaveLength(5_000_000);
  });

  it.each([
    [
      'fails silently',
      ['diff', '--quiet', '--no-index', '--', 'a', 'b'],
      'git diff failed: git ended with status 1',
    ],
    [
      'fails with a reason',
      ['-c', 'x.y=z', 'apply', 'none.patch'],
      "git apply failed: error: can't open patch 'none.patch'",
    ],
  ])('that %s is an error', async (_title, args, message) => {
    const folder = makeFolder();
    write(folder, { a: '1', b: '2' });
    const error = await failure((await openGit(folder, options())).run(args));
    expect(error.message).toContain(message);
    expect([error.code, error.isIdle]).toEqual(['environment', false]);
  });

  it('that a signal ends is an error', async () => {
    const env = { ...gitEnv, ...program('git', 'case "$*" in *sshCommand*) exit 0;; esac; kill -KILL $$') };
    const error = await failure((await openGit(makeFolder(), options({ env }))).run(['status']));
    expect(error.message).toContain('git status failed');
  });

  it('that tells a password is shown without it', async () => {
    const script = 'echo "cannot reach https://me:sesame@host.invalid/x" >&2; exit 1';
    const env = { ...gitEnv, ...program('git', script) };
    const lines: string[] = [];
    const opened = await openGit(makeFolder(), options({ env, onProgress: (line) => lines.push(line) }));
    const error = await failure(opened.run(['status']));
    expect([error.stderr, ...lines]).toEqual(Array(2).fill('cannot reach https://host.invalid/x'));
    expect(error.message).not.toContain('sesame');
  });

  it('is not the one of the repository whose hook started us', async () => {
    const mine = makeFolder();
    const other = makeFolder();
    for (const folder of [mine, other]) git(folder, 'init', '--quiet');
    const env = { ...gitEnv, GIT_DIR: join(other, '.git'), GIT_WORK_TREE: other, GIT_INDEX_FILE: '/nowhere' };
    const opened = await openGit(mine, options({ env }));
    expect((await opened.run(['rev-parse', '--show-toplevel'])).trim()).toBe(mine);
  });

  it('says that there is no git, or no such folder', async () => {
    const folder = makeFolder();
    const opened = await openGit(folder, options({ env: { PATH: folder } }));
    await expect(opened.run(['version'])).rejects.toThrow('there is no git on the PATH');
    await expect(opened.run(['fetch', folder])).rejects.toThrow('there is no git on the PATH');
    await expect(openGit(join(folder, 'none'), options())).rejects.toThrow('no such folder');
  });

  it.each(['--upload-pack=touch canary', '--receive-pack=x'])('refuses %s by itself', async (argument) => {
    const folder = makeFolder();
    git(folder, 'init', '--quiet');
    await failure((await openGit(folder, options())).run(['fetch', argument, folder]));
    expect(existsSync(join(folder, 'canary'))).toBe(false);
  });

  it('never starts a transport that runs a command, whatever the configuration allows', async () => {
    const folder = makeFolder();
    git(folder, 'init', '--quiet');
    git(folder, 'config', 'protocol.ext.allow', 'always');
    const error = await failure(
      (await openGit(folder, options())).run(['fetch', `ext::sh -c touch% ${folder}/canary`]),
    );
    expect(error.message).toContain("transport 'ext' not allowed");
    expect(existsSync(join(folder, 'canary'))).toBe(false);
  });
});

describe('a remote that never answers', () => {
  const schemes = spawnSync('ssh', ['-V']).error === undefined ? ['http', 'git', 'ssh'] : ['http', 'git'];
  it.each(schemes)('%s:// is ended after the time without output; no process is left', async (scheme) => {
    const port = await silentServer();
    const opened = await openGit(makeFolder(), options({ idleMs: 400 }));
    const began = Date.now();
    const error = await failure(opened.run(['ls-remote', `${scheme}://127.0.0.1:${port}/x`]));
    expect(error.isIdle, error.message).toBe(true);
    expect(error.message).toContain('git ls-remote said nothing for 0.4 s and was ended');
    expect(Date.now() - began).toBeLessThan(5_000);
    expect(processesNaming(`127.0.0.1:${port}`)).toEqual([]);
  });

  it('is given up when the signal says so, with its reason; no process is left', async () => {
    const port = await silentServer();
    const stop = new AbortController();
    const opened = await openGit(makeFolder(), options({ signal: stop.signal }));
    const running = opened.run(['ls-remote', `http://127.0.0.1:${port}/x`]);
    setTimeout(() => {
      stop.abort(new SuperOffloadError({ code: 'interrupted', message: 'Ctrl-C' }));
    }, 300);
    await expect(running).rejects.toMatchObject({ code: 'interrupted', message: 'Ctrl-C' });
    expect(processesNaming(`127.0.0.1:${port}`)).toEqual([]);
    await expect(opened.run(['version'])).rejects.toMatchObject({ code: 'interrupted' });
  });
});

describe('a question', () => {
  it('for a password is an error at once; neither a helper that asks nor the password of the URL is shown', async () => {
    const address = await serve((_request, response) => {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="x"' }).end();
    });
    const folder = makeFolder();
    const ask = join(folder, 'ask');
    writeFileSync(ask, `#!/bin/sh\ntouch ${folder}/asked\necho secret\n`);
    chmodSync(ask, 0o755);
    writeFileSync(join(folder, 'gitconfig'), `[core]\n\taskPass = "${ask}"\n`);
    const config = { GIT_CONFIG_GLOBAL: join(folder, 'gitconfig') };
    const env = { ...gitEnv, ...config, SSH_ASKPASS: ask, GIT_ASKPASS: ask, DISPLAY: ':0' };
    const lines: string[] = [];
    const opened = await openGit(folder, options({ env, onProgress: (line) => lines.push(line) }));
    const plain = await failure(opened.run(['ls-remote', `${address}/x`]));
    expect(plain.stderr).toContain('terminal prompts disabled');
    const secret = await failure(opened.run(['ls-remote', `${address.replace('//', '//me:sesame@')}/x`]));
    expect(secret.stderr).toContain('Authentication failed');
    expect(`${secret.message} ${lines.join(' ')}`).not.toContain('sesame');
    expect(existsSync(join(folder, 'asked'))).toBe(false);
  });

  it.each([
    ['the ssh of the PATH', {}],
    ["the user's GIT_SSH_COMMAND", { GIT_SSH_COMMAND: 'ssh -i key' }],
  ])("for a host's key: %s is in batch mode", async (_title, more) => {
    const log = join(makeFolder(), 'log');
    const path = program('ssh', `echo "$@" > "${log}"; echo "Host key verification failed." >&2; exit 255`);
    const opened = await openGit(makeFolder(), options({ env: { ...gitEnv, ...path, ...more } }));
    const error = await failure(opened.run(['ls-remote', 'ssh://git@host.invalid/x']));
    expect(error.stderr).toContain('Host key verification failed.');
    expect(execFileSync('cat', [log], { encoding: 'utf8' })).toMatch(/^(-i key )?-o BatchMode=yes /);
  });

  it("for a host's key: the user's core.sshCommand is in batch mode, and is kept", async () => {
    const folder = makeFolder();
    const path = program('my-ssh', `echo "$@" > "${folder}/log"; exit 255`);
    git(folder, 'init', '--quiet');
    git(folder, 'config', 'core.sshCommand', 'my-ssh -i other');
    const opened = await openGit(folder, options({ env: { ...gitEnv, ...path } }));
    await failure(opened.run(['ls-remote', 'ssh://git@host.invalid/x']));
    expect(execFileSync('cat', [join(folder, 'log')], { encoding: 'utf8' })).toMatch(
      /^-i other -o BatchMode=yes /,
    );
  });
});

describe("the user's hooks", () => {
  it('do not run', async () => {
    const folder = makeFolder();
    git(folder, 'init', '--quiet');
    write(folder, { a: '1' });
    git(folder, 'add', '--all');
    git(folder, 'commit', '--quiet', '-m', 'a');
    const hooks = join(folder, '.git/hooks');
    rmSync(hooks, { recursive: true, force: true });
    mkdirSync(hooks);
    writeFileSync(join(hooks, 'post-checkout'), `#!/bin/sh\ntouch "${folder}/hooked"\n`);
    chmodSync(join(hooks, 'post-checkout'), 0o755);
    await (await openGit(folder, options())).run(['checkout', '--quiet', '--detach']);
    expect(existsSync(join(folder, 'hooked'))).toBe(false);
    git(folder, 'checkout', '--quiet', '--detach');
    expect(existsSync(join(folder, 'hooked')), 'the hook is a real one').toBe(true);
  });
});
