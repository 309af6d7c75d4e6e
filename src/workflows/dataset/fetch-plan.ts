import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { LfsSource } from '../../adapters/dataset/lfs-repository.ts';
import { readManifest, type DatasetManifest, type PublishedFile } from '../../adapters/dataset/manifest.ts';
import { comparePublished } from '../../adapters/dataset/published-file.ts';
import { readPins } from '../../adapters/upstreams/pins.ts';
import { isRefusal, parseSource } from '../../core/upstreams/source.ts';
import { faultsError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { asTask } from '../task.ts';
import { publishedFolder } from './verify.ts';

export interface FetchOptions {
  readonly source: string | undefined;
  /** Default: the data set's folder below the state folder. */
  readonly out: string | undefined;
}

/** What a fetch would do, or did. */
export interface FetchReport {
  readonly schemaVersion: 1;
  /** Without user name and password. */
  readonly source: string;
  readonly directory: string;
  /** What `--data-path` takes. */
  readonly prefix: string;
  readonly files: readonly {
    readonly file: string;
    readonly bytes: number;
    readonly state: 'complete' | 'to fetch' | 'fetched';
  }[];
}

export interface FetchPlan {
  readonly report: FetchReport;
  readonly wanted: readonly PublishedFile[];
  readonly from: LfsSource;
}

/**
 * Looks at what is there already, by content; changes nothing.
 * @throws SuperOffloadError 'usage' for a source that git must not be given; 'environment' for a folder that is none.
 */
export async function planFetch(ctx: Context, options: FetchOptions): Promise<FetchPlan> {
  const manifest = await readManifest(ctx.packageRoot);
  const { shown, from } = sourceOf(ctx, manifest, options.source);
  const directory =
    options.out === undefined ? publishedFolder(ctx.home, manifest) : resolve(ctx.cwd, options.out);
  const states = await asTask(
    ctx,
    { id: 'look', title: `see what is in ${directory} already` },
    async (task) => {
      const found: boolean[] = [];
      for (const file of manifest.files) {
        const tell = task.bytes(file.file, file.bytes);
        found.push(
          (await comparePublished(join(directory, file.file), file, ctx.signal, tell)).problem === null,
        );
      }
      return found;
    },
  );
  // What needs no Git LFS first: a server that refuses the large file has then given all others.
  const wanted = manifest.files
    .filter((_, i) => states[i] !== true)
    .toSorted((a, b) => Number(a.lfs) - Number(b.lfs));
  const report: FetchReport = {
    schemaVersion: 1,
    source: shown,
    directory,
    prefix: join(directory, manifest.prefix),
    files: manifest.files.map(({ file, bytes }, i) => ({
      ...{ file, bytes },
      state: states[i] === true ? 'complete' : 'to fetch',
    })),
  };
  return { report, wanted, from: { ...from, needsLfs: wanted.some(({ lfs }) => lfs) } };
}

function sourceOf(
  ctx: Context,
  { folder }: DatasetManifest,
  given: string | undefined,
): { readonly shown: string; readonly from: Omit<LfsSource, 'needsLfs'> } {
  const { url, ref: branch, commit } = readPins(ctx.packageRoot).artifact;
  if (given === undefined) return { shown: url, from: { url, branch, commit, folder } };
  const parsed = parseSource(given);
  if (isRefusal(parsed)) throw faultsError('usage', [{ place: '--source', ...parsed }]);
  if (parsed.kind === 'url') {
    return { shown: parsed.shown, from: { url: parsed.address, branch, commit, folder } };
  }
  const path = resolve(ctx.cwd, parsed.address.replace(/^~(?=\/|$)/, ctx.env['HOME'] ?? homedir()));
  if (!existsSync(path)) {
    const expected = 'a git repository, as a folder or a URL';
    throw faultsError('environment', [{ place: '--source', problem: `${path} does not exist`, expected }]);
  }
  // Git LFS copies from a repository of this machine only where it is given as a URL.
  return { shown: path, from: { url: pathToFileURL(path).href, branch, commit, folder } };
}
