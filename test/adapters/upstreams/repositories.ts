import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, onTestFinished } from 'vitest';

/** Real repositories and servers of this machine, away from the configuration of whoever runs the tests. */
export const gitEnv = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@localhost',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@localhost',
};

export function git(folder: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd: folder,
    env: gitEnv,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** A folder, by default with a space in its name; removed after the test. */
export function makeFolder(prefix = 'superoffload sources-'): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A repository with three commits on `superoffload`, a branch `main` and an annotated tag `v1.0` of the first. */
export interface Upstream {
  readonly folder: string;
  readonly first: string;
  readonly second: string;
  readonly head: string;
}

export function makeUpstream(): Upstream {
  template ??= makeTemplate();
  const folder = join(makeFolder(), 'upstream');
  cpSync(template.folder, folder, { recursive: true, preserveTimestamps: true });
  return { ...template, folder };
}

/** Made once for all tests of a file: twelve processes. */
let template: Upstream | undefined;
afterAll(() => {
  if (template !== undefined) rmSync(dirname(template.folder), { recursive: true, force: true });
});

function makeTemplate(): Upstream {
  const folder = join(mkdtempSync(join(tmpdir(), 'superoffload-template-')), 'upstream');
  mkdirSync(folder, { recursive: true });
  git(folder, 'init', '--quiet', '--initial-branch=main');
  write(folder, {
    'megatron/training.py': 'first\n',
    'windows.txt': 'one\r\ntwo\r\n',
    '.gitattributes': 'windows.txt text eol=crlf\n*.big filter=canary\n',
    'weights.big': 'as it is committed\n',
  });
  writeFileSync(join(folder, 'run.sh'), '#!/bin/sh\n');
  chmodSync(join(folder, 'run.sh'), 0o755);
  const commit = (message: string): string => {
    git(folder, 'add', '--all');
    git(folder, '-c', 'core.autocrlf=false', 'commit', '--quiet', '-m', message);
    return git(folder, 'rev-parse', 'HEAD').trim();
  };
  const first = commit('first');
  git(folder, 'tag', '-a', '-m', 'a tag', 'v1.0');
  git(folder, 'checkout', '--quiet', '-b', 'superoffload');
  write(folder, { 'megatron/training.py': 'second\n' });
  const second = commit('second');
  write(folder, { 'megatron/training.py': 'third\n', 'megatron/new.py': 'new\n' });
  return { folder, first, second, head: commit('third') };
}

export function makeBare(upstream: Upstream): string {
  const bare = `${upstream.folder}.git`;
  git(dirname(bare), 'clone', '--quiet', '--bare', upstream.folder, bare);
  return bare;
}
