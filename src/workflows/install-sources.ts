import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson } from '../adapters/files.ts';
import { readSeries } from '../adapters/patches/series-folder.ts';
import type { stackPaths } from '../adapters/stack/store.ts';
import { readPins } from '../adapters/upstreams/pins.ts';
import type { StackOrigin, StackRequest } from '../core/stack/lock.ts';
import type { MarkerEnvironment } from '../core/stack/markers.ts';
import { megatronPackages } from '../core/stack/package-choice.ts';
import type { PackageChoice } from '../core/stack/package-choice.ts';
import type { PythonFacts } from '../core/stack/python.ts';
import { parseRequirements } from '../core/stack/requirements.ts';
import type { Requirement } from '../core/stack/requirements.ts';
import type { SourceFacts } from '../core/stack/source-steps.ts';
import { chooseUpstreams } from '../core/upstreams/choice.ts';
import type { UpstreamChoice } from '../core/upstreams/choice.ts';
import { upstreamNames, type UpstreamName } from '../core/upstreams/upstream.ts';
import type { Fault } from '../errors.ts';
import type { Context } from './context.ts';

/** What the user said about upstreams. */
export interface SourceFlags {
  readonly stack: string;
  readonly megatron: boolean;
  readonly sources: readonly string[];
  readonly refs: readonly string[];
}

export interface SourceChoice {
  readonly choices: readonly UpstreamChoice[];
  readonly notes: readonly string[];
  readonly faults: readonly Fault[];
}

/** Where each upstream of a stack comes from: flags, the artifact's variables, or the pinned data. */
export function chooseSources(ctx: Pick<Context, 'env' | 'packageRoot'>, flags: SourceFlags): SourceChoice {
  const names: UpstreamName[] = [
    ...(flags.stack === 'fork' ? (['deepspeed'] as const) : []),
    ...(flags.megatron ? (['megatron', 'apex'] as const) : []),
  ];
  return chooseUpstreams(names, { ...flags, env: ctx.env }, readPins(ctx.packageRoot));
}

/** The part of a request that says where upstreams come from: what was not left to the pinned data. */
export function requestedSources(
  { packageRoot }: Pick<Context, 'packageRoot'>,
  { choices }: Pick<SourceChoice, 'choices'>,
): Pick<StackRequest, 'sources' | 'refs'> {
  const pins = readPins(packageRoot);
  const sources: Partial<Record<UpstreamName, string>> = {};
  const refs: Partial<Record<UpstreamName, string>> = {};
  for (const { name, source, ref, isDefaultRef } of choices) {
    if (source.shown !== pins[name].url) sources[name] = source.shown;
    if (!isDefaultRef) refs[name] = ref.name;
  }
  return { sources, refs };
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
