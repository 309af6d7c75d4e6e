import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeIndex } from '../../../src/core/dataset/indexed.ts';
import { SuperOffloadError } from '../../../src/errors.ts';
import type { Context } from '../../../src/workflows/context.ts';
import { fetchDataset } from '../../../src/workflows/dataset/fetch.ts';
import { planFetch, type FetchReport } from '../../../src/workflows/dataset/fetch-plan.ts';
import type { ProgressEvent } from '../../../src/workflows/events.ts';

/** Why tests of the real client cannot run here; null where they can. */
export const lfsMissing: string | null =
  spawnSync('git', ['lfs', 'version']).status === 0 ? null : 'git-lfs is not installed';

export const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

/** A data set of 3 MB in two documents; its .bin is what the repository has in Git LFS. */
export const bin = Buffer.alloc(3_000_000, 'tokens of text ');
const idx = Buffer.from(writeIndex('uint16', [1_000_000, 500_000]));
export const binHash = sha256(bin);

/** A package with its own manifest, a repository that has the files, and a state folder: each test its own. */
export interface Published {
  readonly folder: string;
  readonly repository: string;
  readonly directory: string;
  readonly events: ProgressEvent[];
  readonly context: (change?: Partial<Context>) => Context;
  /** Makes the pinned commit one that no repository has. */
  readonly pinUnknownCommit: () => void;
  /** Adds a commit with these files; `null` removes one. */
  readonly commit: (files: Readonly<Record<string, string | Buffer | null>>) => void;
}

const packageRoot = join(import.meta.dirname, '..', '..', '..');

export function pointerTo(bytes: Buffer): string {
  return `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(bytes)}\nsize ${bytes.length}\n`;
}

/** @param hasObjects the content lies in the repository's own store, as after a push to a folder. */
export function publish(hasObjects: boolean): Published {
  const folder = mkdtempSync(join(tmpdir(), "superoffload fetch's "));
  const repository = join(folder, 'artifact');
  const env = { ...process.env, HOME: join(folder, 'user'), GIT_CONFIG_NOSYSTEM: '1' };
  mkdirSync(env.HOME);
  mkdirSync(repository);
  const git = (...args: string[]): string =>
    execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@localhost', ...args], {
      cwd: repository,
      env,
      encoding: 'utf8',
    });
  git('init', '--quiet', '-b', 'main');
  const commit: Published['commit'] = (files) => {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(repository, name)), { recursive: true });
      if (content === null) rmSync(join(repository, name));
      else writeFileSync(join(repository, name), content);
    }
    git('add', '--all');
    git('commit', '--quiet', '-m', 'data');
  };
  commit({
    'training_datasets/t.bin': pointerTo(bin),
    'training_datasets/t.idx': idx,
    'large/other': Buffer.alloc(1e6),
  });
  if (hasObjects) {
    const object = join(repository, '.git/lfs/objects', binHash.slice(0, 2), binHash.slice(2, 4), binHash);
    mkdirSync(dirname(object), { recursive: true });
    writeFileSync(object, bin);
  }
  writePackage(folder, git('rev-parse', 'HEAD').trim());
  const events: ProgressEvent[] = [];
  const context = (change: Partial<Context> = {}): Context => ({
    ...{ env, cwd: folder, home: join(folder, 'home'), packageRoot: join(folder, 'package'), now: Date.now },
    emit: (event) => void events.push(event),
    ...{ signal: new AbortController().signal, force: new AbortController().signal },
    ...change,
  });
  const pinUnknownCommit = (): void => {
    writePackage(folder, '0'.repeat(40));
  };
  const directory = join(folder, 'home/datasets/tiny');
  return { folder, repository, directory, events, context, commit, pinUnknownCommit };
}

export async function fetchIt(
  { context, repository }: Published,
  change: Partial<Context> = {},
  source = repository,
): Promise<FetchReport> {
  const ctx = context(change);
  return fetchDataset(ctx, await planFetch(ctx, { source, out: undefined }));
}

export const states = (report: FetchReport): string[] => report.files.map(({ state }) => state);

export async function refusal(
  work: Promise<unknown>,
): Promise<{ code: string; message: string; hint: string }> {
  const error: unknown = await work.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof SuperOffloadError)) throw new Error(`no refusal: ${String(error)}`);
  const { code, message, hint = '' } = error;
  return { code, message, hint };
}

function writePackage(folder: string, commit: string): void {
  const file = (name: string, bytes: Buffer, lfs: boolean) => ({
    ...{ file: name, bytes: bytes.length, sha256: sha256(bytes), lfs },
  });
  const manifest = {
    ...{
      schemaVersion: 1,
      name: 'tiny',
      title: 'test',
      prefix: 't',
      vocabulary: 65_000,
      folder: 'training_datasets',
    },
    files: [file('t.bin', bin, true), file('t.idx', idx, false)],
  };
  const stacks = join(folder, 'package/experiment/stacks');
  mkdirSync(join(folder, 'package/training_datasets'), { recursive: true });
  writeFileSync(join(folder, 'package/training_datasets/manifest.json'), JSON.stringify(manifest));
  cpSync(join(packageRoot, 'experiment/stacks/upstreams.json'), join(stacks, 'upstreams.json'));
  const pins = JSON.parse(readFileSync(join(stacks, 'upstreams.json'), 'utf8')) as {
    upstreams: { artifact: { url: string; commit: string } };
  };
  // Nothing listens there: a test that forgets its source reaches no network.
  pins.upstreams.artifact = { ...pins.upstreams.artifact, url: 'http://127.0.0.1:1/none.git', commit };
  writeFileSync(join(stacks, 'upstreams.json'), JSON.stringify(pins));
}
