import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readJson } from '../../adapters/files.ts';
import { readSeries } from '../../adapters/patches/series-folder.ts';
import type { stackPaths } from '../../adapters/stack/store.ts';
import { localIdentity } from '../../adapters/upstreams/local-source.ts';
import { readPins } from '../../adapters/upstreams/pins.ts';
import type { SourceIdentity } from '../../core/stack/current.ts';
import type { StackLock, StackOrigin, StackRequest } from '../../core/stack/lock.ts';
import type { MarkerEnvironment } from '../../core/install/markers.ts';
import { megatronPackages } from '../../core/install/package-choice.ts';
import type { PackageChoice } from '../../core/install/package-choice.ts';
import type { PythonFacts } from '../../core/stack/python.ts';
import { parseRequirements } from '../../core/install/requirements.ts';
import type { Requirement } from '../../core/install/requirements.ts';
import type { SourceFacts } from '../../core/install/source-steps.ts';
import { chooseUpstreams } from '../../core/upstreams/choice.ts';
import { recallSources, type RecalledSources } from '../../core/upstreams/recall.ts';
import type { UpstreamChoice } from '../../core/upstreams/choice.ts';
import { upstreamNames, type UpstreamName } from '../../core/upstreams/upstream.ts';
import { SuperOffloadError, type Fault } from '../../errors.ts';
import type { Context } from '../context.ts';

/** What the user said about upstreams. */
export interface SourceFlags {
  readonly stack: string;
  readonly megatron: boolean;
  readonly sources: readonly string[];
  readonly refs: readonly string[];
  /** Of the stack that is there already. */
  readonly before: Pick<StackRequest, 'sources' | 'refs'> | undefined;
}

export interface SourceChoice {
  readonly choices: readonly UpstreamChoice[];
  readonly notes: readonly string[];
  readonly faults: readonly Fault[];
  /** Those that come from where they came from before, as nothing else was said. */
  readonly recalled: readonly UpstreamName[];
}

/**
 * Where each upstream of a stack comes from: flags, the artifact's variables, where the stack that is there has it
 * from, or the pinned data.
 */
export function chooseSources(ctx: Pick<Context, 'env' | 'packageRoot'>, flags: SourceFlags): SourceChoice {
  const names: UpstreamName[] = [
    ...(flags.stack === 'fork' ? (['deepspeed'] as const) : []),
    ...(flags.megatron ? (['megatron', 'apex'] as const) : []),
  ];
  const said = { sources: flags.sources, refs: flags.refs, env: ctx.env };
  const before: RecalledSources =
    flags.before === undefined
      ? { sources: [], refs: [], names: [], notes: [] }
      : recallSources(names, said, flags.before);
  const all = {
    ...said,
    sources: [...said.sources, ...before.sources],
    refs: [...said.refs, ...before.refs],
  };
  const chosen = chooseUpstreams(names, all, readPins(ctx.packageRoot));
  return { ...chosen, notes: [...chosen.notes, ...before.notes], recalled: before.names };
}

/**
 * What the repositories on this machine are now. One that nothing was said of now and that is gone counts as it was:
 * the stack has its own copy.
 * @throws SuperOffloadError 'environment' where one that was named cannot be read.
 */
export async function localIdentities(
  ctx: Pick<Context, 'signal' | 'env' | 'cwd'>,
  { choices, recalled }: Pick<SourceChoice, 'choices' | 'recalled'>,
  { upstreams }: Pick<StackLock, 'upstreams'>,
): Promise<Partial<Record<UpstreamName, SourceIdentity>>> {
  const found: Partial<Record<UpstreamName, SourceIdentity>> = {};
  // Apex that was not built is in no lock, and nothing of it can have changed.
  for (const choice of choices.filter(({ name }) => upstreams[name] !== undefined)) {
    const { name } = choice;
    const identity = await localIdentity(choice, ctx).catch((error: unknown) => {
      ctx.signal.throwIfAborted();
      if (error instanceof SuperOffloadError && recalled.includes(name)) return asLocked(upstreams[name]);
      throw error;
    });
    if (identity !== null) found[name] = identity;
  }
  return found;
}

function asLocked(lock: StackLock['upstreams'][UpstreamName]): SourceIdentity | null {
  if (lock === undefined || lock.url === null || lock.commit === null) return null;
  return { url: lock.url, commit: lock.commit, dirtyDiffSha256: lock.dirtyDiffSha256 };
}

/** The part of a request that says where upstreams come from: what was not left to the pinned data, paths absolute. */
export function requestedSources(
  { packageRoot, cwd, env }: Pick<Context, 'packageRoot' | 'cwd' | 'env'>,
  { choices }: Pick<SourceChoice, 'choices'>,
): Pick<StackRequest, 'sources' | 'refs'> {
  const pins = readPins(packageRoot);
  const sources: Partial<Record<UpstreamName, string>> = {};
  const refs: Partial<Record<UpstreamName, string>> = {};
  for (const { name, source, ref, isDefaultRef } of choices) {
    if (source.kind === 'path') sources[name] = absolutePath(source.shown, cwd, env['HOME']);
    else if (source.shown !== pins[name].url) sources[name] = source.shown;
    if (!isDefaultRef) refs[name] = ref.name;
  }
  return { sources, refs };
}

/** A later install may be called from elsewhere. */
function absolutePath(path: string, cwd: string, home = '~'): string {
  return resolve(cwd, path === '~' || path.startsWith('~/') ? `${home}${path.slice(1)}` : path);
}

export interface SourceFactInputs {
  readonly folders: ReturnType<typeof stackPaths>;
  readonly origin: StackOrigin;
  readonly python: PythonFacts;
  readonly choice: PackageChoice;
  readonly base: readonly Requirement[];
  readonly markers: MarkerEnvironment;
  readonly choices: readonly UpstreamChoice[];
  readonly isAnew: boolean;
  readonly apexKind: SourceFacts['apex'];
}

/** What the plan of the sources is decided from. */
export async function collectSourceFacts(
  ctx: Pick<Context, 'packageRoot'>,
  inputs: SourceFactInputs,
): Promise<SourceFacts> {
  const { folders, origin, python, choice, choices } = inputs;
  const text = await readFile(join(ctx.packageRoot, 'experiment/stacks/megatron.txt'), 'utf8');
  const packages = choices.some(({ name }) => name === 'megatron')
    ? megatronPackages(origin, parseRequirements(text, inputs.markers), inputs.base, choice, python)
    : [];
  const packagesKey = packages.map(({ name, version }) => `${name}==${version}`).join(' ');
  const minor = python.version.split('.').slice(0, 2).join('.');
  const hasOwnDeepspeed = origin !== 'adopted' && choice.packages.some(({ name }) => name === 'deepspeed');
  return {
    ...{ choices, packages, packagesKey, apex: inputs.apexKind },
    packagesReady: !inputs.isAnew && (await areExtrasReady(folders, packagesKey)),
    deepspeedPackages: hasOwnDeepspeed ? join(folders.venv, `lib/python${minor}/site-packages`) : null,
    checkProgram: join(ctx.packageRoot, 'experiment/stacks/check_sources.py'),
  };
}

async function areExtrasReady(paths: ReturnType<typeof stackPaths>, key: string): Promise<boolean> {
  const done = (await readJson(paths.extrasDone).catch(() => undefined)) as { key?: string } | undefined;
  return done?.key === key && existsSync(join(paths.venv, 'bin/python'));
}

/** sha256 of the series that this superoffload has for each upstream. */
export async function seriesHashes({
  packageRoot,
}: Pick<Context, 'packageRoot'>): Promise<Partial<Record<UpstreamName, string>>> {
  const hashes: Partial<Record<UpstreamName, string>> = {};
  for (const name of upstreamNames) {
    const series = await readSeries(join(packageRoot, 'patches', name));
    if (series !== undefined) hashes[name] = series.sha256;
  }
  return hashes;
}
