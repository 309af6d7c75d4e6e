import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { takeManifest } from '../../../src/adapters/stack/manifest.ts';
import type { StackLock } from '../../../src/core/stack/lock.ts';
import { realStack } from '../../real-stack.ts';
import { git, isa, lockOf } from './small-lock.ts';

/**
 * A stack as an install leaves it, only small: a real virtual environment with two packages and their RECORD files, a
 * real git repository as an upstream with one patched file, an op, and a lock. Made once, copied for each test.
 */
export interface SmallStack {
  readonly home: string;
  readonly directory: string;
  readonly site: string;
  readonly tree: string;
  readonly lock: StackLock;
}

let made: SmallStack | undefined;
const folders: string[] = [];

export function removeSmallStacks(): void {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  made = undefined;
}

/** Ready, with its manifest: a copy keeps times to the nanosecond, and paths are put right. */
export async function smallStack(): Promise<SmallStack> {
  if (made === undefined) {
    made = await makeStack();
    writeLock(made.directory, made.lock);
    await takeManifest(made.lock);
  }
  const before = made.home;
  const home = newFolder();
  execFileSync('cp', ['-a', `${before}/.`, home]);
  for (const name of ['lock.json', 'manifest.json']) {
    const path = join(home, 'stacks', 'pip', name);
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll(before, home));
  }
  return JSON.parse(JSON.stringify(made).replaceAll(before, home)) as SmallStack;
}

export function writeLock(directory: string, lock: unknown): void {
  writeFileSync(join(directory, 'lock.json'), JSON.stringify(lock));
}

function newFolder(): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'small-stack-')));
  folders.push(folder);
  return folder;
}

async function makeStack(): Promise<SmallStack> {
  const home = newFolder();
  const directory = join(home, 'stacks', 'pip');
  const python = join(directory, 'venv', 'bin', 'python');
  mkdirSync(directory, { recursive: true });
  execFileSync(realStack.python, ['-m', 'venv', '--without-pip', join(directory, 'venv')]);
  const site = execFileSync(python, ['-c', 'import site; print(site.getsitepackages()[0])'])
    .toString()
    .trim();
  addPackage(site, 'alpha', '1.0', {
    'alpha/__init__.py': 'from .core import answer\n',
    'alpha/core.py': 'answer = 42\n',
    'alpha/a, "b".txt': 'a name that must be quoted\n',
    '../../../bin/alpha': '#!/bin/sh\n',
  });
  addPackage(site, 'deep_speed', '0.19.8', {
    'deepspeed/__init__.py': '',
    'deepspeed/builder.py': "arch = '10.0'\n",
    'single.py': 'one = 1\n',
  });
  write(join(site, 'overlay.pth'), '# nothing lists this file\n');
  write(join(site, 'by_hand.py'), '# nor this one\n');
  // A patch of this tool: the RECORD still has the digest of the file as it came.
  write(join(site, 'deepspeed/builder.py'), "arch = '10.0a'\n");
  const tree = makeTree(join(directory, 'src', 'megatron'));
  const ops = join(directory, 'ops', `key-${isa}`);
  write(join(ops, 'cpu_adam', 'cpu_adam.so'), 'machine code');
  write(join(ops, 'cpu_adam', 'build.ninja'), '');
  const found = { home, directory, site, tree };
  return { ...found, lock: await lockOf(found, python, ops) };
}

function makeTree(tree: string): string {
  write(join(tree, 'megatron', 'training.py'), 'steps = 1\n');
  write(join(tree, 'megatron', 'arguments.py'), 'arguments = []\n');
  write(join(tree, 'README.md'), 'text\n');
  git(tree, 'init', '--quiet', '--initial-branch=main');
  git(tree, 'add', '.');
  git(tree, '-c', 'user.name=a', '-c', 'user.email=a@b.c', 'commit', '--quiet', '-m', 'first');
  write(join(tree, 'megatron', 'training.py'), 'steps = 2\n');
  return tree;
}

/** Installs as pip does: files, metadata, and a RECORD of them. */
export function addPackage(
  site: string,
  name: string,
  version: string,
  files: Readonly<Record<string, string>>,
): void {
  const info = `${name}-${version}.dist-info`;
  const all = {
    ...files,
    [`${info}/METADATA`]: `Name: ${name}\nVersion: ${version}\n`,
    [`${info}/INSTALLER`]: 'pip\n',
  };
  const lines = Object.entries(all).map(([path, text]) => {
    write(join(site, path), text);
    const quoted = /[",]/.test(path) ? `"${path.replaceAll('"', '""')}"` : path;
    return `${quoted},sha256=${createHash('sha256').update(text).digest('base64url')},${text.length}`;
  });
  const bytecode = `${name}/__pycache__/core.cpython-311.pyc,,`;
  write(join(site, info, 'RECORD'), [...lines, bytecode, `${info}/RECORD,,`, ''].join('\r\n'));
}

export function removePackage(site: string, name: string, version: string): void {
  rmSync(join(site, `${name}-${version}.dist-info`), { recursive: true });
  rmSync(join(site, name), { recursive: true });
}

export function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Changes one byte; size, times and mode are then exactly as before, to the nanosecond. */
export function changeOneByte(path: string): void {
  const reference = `${path}.reference`;
  execFileSync('cp', ['-p', path, reference]);
  const content = readFileSync(path);
  const at = content.length - 2;
  content[at] = (content[at] ?? 0) ^ 1;
  writeFileSync(path, content);
  execFileSync('touch', ['-r', reference, path]);
  rmSync(reference);
}

/** Another time, the same content. */
export function touch(path: string): void {
  const before = statSync(path, { bigint: true }).mtimeNs;
  execFileSync('touch', ['-d', '2020-01-02T03:04:05', path]);
  if (statSync(path, { bigint: true }).mtimeNs === before) throw new Error('touch did nothing');
}

/** The same content in a new file, as a copy or a checkout would leave it. */
export function rewrite(path: string): void {
  const text = readFileSync(path);
  renameSync(path, `${path}.old`);
  writeFileSync(path, text);
  rmSync(`${path}.old`);
  touch(path);
}

export function append(path: string, text: string): void {
  appendFileSync(path, text);
}
