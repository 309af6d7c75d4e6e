/** A lock as a list of single facts: what `stacks show` prints and what `stacks diff` compares. */
import type { StackReference } from '../plan/run-plan.ts';
import { upstreamNames } from '../upstreams/upstream.ts';
import type { StackLock, UpstreamLock } from './lock.ts';
import { describeUpstream } from './reference.ts';
import { normalName } from '../install/requirements.ts';
import type { WheelFacts } from './wheels.ts';

export const factGroups = [
  'stack',
  'python',
  'software',
  'machine at install',
  'upstreams',
  'ops',
  'environment',
  'packages',
] as const;

export interface LockFact {
  readonly group: (typeof factGroups)[number];
  readonly name: string;
  readonly value: string;
  /** False for what differs between any two installs and decides nothing: when, and how long it took. */
  readonly decides: boolean;
}

/**
 * @param directory the stack's folder: written as `<stack>`, because two stacks differ in it everywhere and it decides
 * nothing. null to leave paths as they are.
 */
export function lockFacts(lock: StackLock, directory: string | null): LockFact[] {
  const fact: MakeFact = (group, name, value, decides = true) => {
    if (value === null || value === undefined) return [];
    const shown = directory === null ? value : value.replaceAll(directory, '<stack>');
    return [{ group, name, value: shown, decides }];
  };
  return [
    ...fact('stack', 'hash', lock.hash, false),
    ...fact('stack', 'origin', lock.origin),
    ...fact('stack', 'accelerator', lock.accelerator),
    ...fact('stack', 'installed', lock.createdUtc, false),
    ...fact('stack', 'requirements', lock.requirementsSha256),
    ...fact('stack', 'downloads checked by hash', lock.hashesChecked ? 'yes' : 'no'),
    ...fact('python', 'version', lock.python.version),
    ...fact('python', 'path', lock.python.path),
    ...fact('python', 'base', lock.python.base),
    ...softwareFacts(lock, fact),
    ...upstreamFacts(lock, fact),
    ...fact('ops', 'key', lock.ops.key),
    ...fact('ops', 'built', listed(lock.ops.built)),
    ...fact('ops', 'compiler', lock.ops.compiler),
    ...fact('ops', 'ninja', lock.ops.ninja),
    ...sorted(lock.ops.flags).flatMap(([op, flags]) => fact('ops', `flags of ${op}`, flags)),
    // How many compilers ran at once decides nothing.
    ...sorted(lock.environment).flatMap(([name, value]) =>
      fact('environment', name, value, name !== 'MAX_JOBS'),
    ),
    ...sorted(lock.packages).flatMap(([name, version]) =>
      fact('packages', name, packageText(version, lock.wheels[wheelName(lock, name)])),
    ),
  ];
}

type MakeFact = (
  group: LockFact['group'],
  name: string,
  value: string | null | undefined,
  decides?: boolean,
) => LockFact[];

function softwareFacts({ torch, deepspeed, apex, runtime }: StackLock, fact: MakeFact): LockFact[] {
  return [
    ...fact('software', 'torch', torch.version),
    ...fact('software', 'CUDA of torch', torch.cuda),
    ...fact('software', 'NCCL', runtime?.nccl),
    ...fact('software', 'cuDNN', runtime?.cudnn),
    ...fact('software', 'DeepSpeed', deepspeed.version),
    ...fact('software', 'apex', apex?.kind),
    ...fact('software', 'apex extensions', listed(apex?.extensions)),
    ...fact('machine at install', 'NVIDIA driver', runtime?.driver),
    ...fact('machine at install', 'CUDA toolkit', runtime?.cudaToolkit),
    ...fact('machine at install', 'kernel', runtime?.kernel),
  ];
}

/** The same of what a run's plan keeps of its stack. */
export function referenceFacts({ hash, torch, deepspeed, upstreams = {}, apex }: StackReference): LockFact[] {
  const fact = (group: LockFact['group'], name: string, value: string): LockFact => ({
    ...{ group, name, value, decides: true },
  });
  return [
    fact('stack', 'hash', hash),
    fact('software', 'torch', torch),
    fact('software', 'DeepSpeed', deepspeed),
    ...(typeof apex === 'string' ? [fact('software', 'apex', apex)] : []),
    ...upstreamNames.flatMap((name) => {
      const upstream = upstreams[name];
      return upstream === undefined ? [] : [fact('upstreams', name, describeUpstream(upstream))];
    }),
  ];
}

function upstreamFacts({ upstreams }: StackLock, fact: MakeFact): LockFact[] {
  return upstreamNames.flatMap((name) => {
    const upstream = upstreams[name];
    if (upstream === undefined) return [];
    const of = (what: string, value: string | null): LockFact[] =>
      fact('upstreams', `${name} ${what}`, value);
    const { patches } = upstream;
    return [
      ...of('remote', upstream.url),
      ...of('ref', upstream.ref),
      ...of('commit', upstream.commit),
      ...of('version', upstream.version),
      ...of('directory', upstream.directory),
      ...of('local changes', upstream.dirtyDiffSha256),
      ...of('tree', upstream.tree),
      ...of('series', patches?.seriesSha256 ?? null),
      ...patchFacts(patches, of),
    ];
  });
}

function patchFacts(
  patches: UpstreamLock['patches'],
  of: (what: string, value: string) => LockFact[],
): LockFact[] {
  if (patches === null) return [];
  return [
    ...patches.applied.flatMap(({ file, sha256 }) => of(`patch ${file}`, `applied, ${sha256}`)),
    ...patches.skipped.flatMap(({ file, reason }) => of(`patch ${file}`, `not needed: ${reason}`)),
    ...patches.overlay.flatMap(({ path, sha256 }) => of(`overlay ${path}`, sha256)),
  ];
}

/** Metadata folders write `typing_extensions` where the package calls itself `typing-extensions`. */
function wheelName({ wheels }: StackLock, name: string): string {
  return Object.keys(wheels).find((each) => normalName(each) === normalName(name)) ?? name;
}

function packageText(version: string, wheel: WheelFacts | undefined): string {
  if (wheel?.content === undefined || wheel.content === null) return version;
  return `${version}, files ${wheel.content}${wheel.file === null ? '' : `, from ${wheel.file}`}`;
}

function listed(values: readonly string[] | undefined): string | null {
  return values === undefined || values.length === 0 ? null : values.join(', ');
}

function sorted(values: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1));
}
