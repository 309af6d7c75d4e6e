import { versionOrder } from '../stack/version.ts';
import type { StackOrigin, StackRequest } from '../stack/lock.ts';
import type { PythonFacts } from '../stack/python.ts';
import { oldestDeepspeed } from './refusals.ts';
import { missingPackages, normalName, withVersions } from './requirements.ts';
import type { Requirement } from './requirements.ts';

export interface PackageChoice {
  /** What has to be installed. */
  readonly packages: readonly Requirement[];
  readonly isComplete: boolean;
  /** The packed requirements file says exactly this. */
  readonly isFileAsItIs: boolean;
  /** What the finished stack will have, as far as it is known before. */
  readonly versions: {
    readonly torch: string | undefined;
    readonly deepspeed: string | undefined;
    readonly ninja: string | undefined;
  };
}

/** What stands for the version of a DeepSpeed that comes from a repository, until that was fetched. */
export const fromSource = 'source';

/**
 * What to install: everything into a private environment, what is missing over a given one. A DeepSpeed that is too
 * old for SuperOffload, or not the one that was asked for, counts as missing.
 */
export function choosePackages(
  origin: StackOrigin,
  resolved: readonly Requirement[],
  request: Pick<StackRequest, 'torch' | 'deepspeed'>,
  python: Pick<PythonFacts, 'packages' | 'torch'>,
  isFork = false,
): PackageChoice {
  if (isFork) return withoutDeepspeed(choosePackages(origin, resolved, request, python));
  const { requirements, isResolved } = withVersions(resolved, request);
  if (origin === 'private') {
    const version = (name: string): string | undefined =>
      requirements.find((entry) => entry.name === name)?.version;
    return {
      packages: requirements,
      isComplete: isResolved,
      isFileAsItIs: isResolved,
      versions: { torch: version('torch'), deepspeed: version('deepspeed'), ninja: version('ninja') },
    };
  }
  const counted = countedPackages(python.packages, request.deepspeed);
  const packages = missingPackages(resolved, counted).map((entry) =>
    entry.name === 'deepspeed' && request.deepspeed !== null && entry.version !== request.deepspeed
      ? { ...entry, version: request.deepspeed, hashes: [] }
      : entry,
  );
  const version = (name: string): string | undefined =>
    packages.find((entry) => entry.name === name)?.version ?? counted[name];
  return {
    packages,
    isComplete: true,
    isFileAsItIs: false,
    versions: { torch: python.torch?.version, deepspeed: version('deepspeed'), ninja: version('ninja') },
  };
}

/** What DeepSpeed needs, and not itself: it is imported from its work tree. */
function withoutDeepspeed(choice: PackageChoice): PackageChoice {
  return {
    ...choice,
    packages: choice.packages.filter(({ name }) => name !== 'deepspeed'),
    isFileAsItIs: false,
    versions: { ...choice.versions, deepspeed: fromSource },
  };
}

/**
 * Megatron's own packages that are not there yet.
 * @param megatron its resolved requirements, made under the constraints of `base`.
 * @param base all requirements of torch and DeepSpeed: a private environment gets them, or those of another torch.
 */
export function megatronPackages(
  origin: StackOrigin,
  megatron: readonly Requirement[],
  base: readonly Requirement[],
  choice: PackageChoice,
  python: Pick<PythonFacts, 'packages'>,
): Requirement[] {
  const names =
    origin === 'private'
      ? base.map(({ name }) => name)
      : [...Object.keys(python.packages).map(normalName), ...choice.packages.map(({ name }) => name)];
  const there = new Set(names);
  return megatron.filter(({ name }) => !there.has(name));
}

/** Installed packages by normal name, without a DeepSpeed that cannot be used. */
function countedPackages(
  packages: Readonly<Record<string, string>>,
  wantedDeepspeed: string | null,
): Record<string, string> {
  const installed = Object.entries(packages).map(([name, version]) => [normalName(name), version] as const);
  const isUnfit = (version: string): boolean =>
    versionOrder(version, oldestDeepspeed) < 0 ||
    (wantedDeepspeed !== null && versionOrder(version, wantedDeepspeed) !== 0);
  return Object.fromEntries(
    installed.filter(([name, version]) => !(name === 'deepspeed' && isUnfit(version))),
  );
}
