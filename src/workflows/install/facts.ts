import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson } from '../../adapters/files.ts';
import { stackPaths } from '../../adapters/stack/store.ts';
import type { Compiler } from '../../adapters/stack/tools.ts';
import { acceleratorOf } from '../../core/machine/facts.ts';
import type { MachineFacts } from '../../core/machine/facts.ts';
import type { InstallFacts } from '../../core/install/facts.ts';
import type { MarkerEnvironment } from '../../core/install/markers.ts';
import type { StackOrigin, StackRequest } from '../../core/stack/lock.ts';
import { opsFor, opsKey } from '../../core/stack/ops.ts';
import type { OpName } from '../../core/stack/ops.ts';
import type { PythonFacts } from '../../core/stack/python.ts';
import { torchRefusal } from '../../core/install/refusals.ts';
import { choosePackages } from '../../core/install/package-choice.ts';
import type { PackageChoice } from '../../core/install/package-choice.ts';
import { parseRequirements } from '../../core/install/requirements.ts';
import type { Requirement } from '../../core/install/requirements.ts';
import type { UpstreamChoice } from '../../core/upstreams/choice.ts';
import type { UpstreamName } from '../../core/upstreams/upstream.ts';
import type { Context } from '../context.ts';
import { foreseeApex, type Foreseen } from './apex.ts';
import { collectSourceFacts } from './sources.ts';
import { findPython, findTools, refuse } from './tools.ts';

export interface Wanted {
  readonly name: string;
  readonly request: StackRequest;
  readonly choices: readonly UpstreamChoice[];
  /** Upstreams that come from where the stack has them from, as nothing was said of them. */
  readonly recalled: readonly UpstreamName[];
  readonly findLinks: string | null;
  readonly isOffline: boolean;
  /** Which ops to build ahead; what a run on this machine needs unless said. */
  readonly ops: readonly OpName[] | undefined;
}

export interface Collected {
  readonly facts: InstallFacts;
  readonly compiler: Compiler;
  readonly ninja: string;
  readonly key: string;
  readonly accelerator: 'cuda' | 'cpu';
  /** null without Megatron. */
  readonly apex: Foreseen | null;
}

/** The Python, what it has, and what has to be put into it. */
interface Basis {
  readonly origin: StackOrigin;
  readonly accelerator: 'cuda' | 'cpu';
  readonly python: PythonFacts;
  readonly markers: MarkerEnvironment;
  /** Every requirement of torch and DeepSpeed. */
  readonly base: readonly Requirement[];
  readonly choice: PackageChoice;
  readonly requirementsText: string;
}

/**
 * Looks at everything that the install plan is decided from. Changes nothing.
 * @param isAnew packages that are in place do not count (--reinstall).
 * @throws SuperOffloadError 'install' or 'environment' when something that is needed is not there.
 */
export async function collectInstallFacts(
  ctx: Context,
  machine: MachineFacts,
  wanted: Wanted,
  isAnew: boolean,
): Promise<Collected> {
  const folders = stackPaths(ctx.home, wanted.name);
  const basis = await findBasis(ctx, machine, wanted);
  const { origin, accelerator, python, choice } = basis;
  const tools = await findTools(ctx, python, origin, wanted.findLinks, choice.versions.ninja);
  const { compiler, ninja, installer, systemNinja } = tools;
  const key = keyOf(machine, basis, tools);
  const packagesKey = packagesKeyOf(basis);
  const apexInputs = { flag: wanted.request.apex, folders, installer, ...basis };
  const apex = hasMegatron(wanted) ? await foreseeApex(ctx, machine, apexInputs) : null;
  const apexKind = apex?.decision.kind ?? null;
  const facts: InstallFacts = {
    ...{ origin, folders, python, installer, systemNinja, packagesKey },
    packages: choice.packages,
    isComplete: choice.isComplete,
    requirementsText: choice.isFileAsItIs ? basis.requirementsText : null,
    findLinks: wanted.findLinks,
    isOffline: wanted.isOffline,
    packagesReady: !isAnew && (await arePackagesReady(folders, packagesKey, origin)),
    sources: await collectSourceFacts(ctx, { ...basis, folders, choices: wanted.choices, isAnew, apexKind }),
    opsDirectory: join(folders.ops, key),
    ops: wanted.ops ?? opsFor(accelerator),
    checkProgram: join(ctx.packageRoot, 'experiment/stacks/check_stack.py'),
  };
  return { facts, compiler, ninja, key, accelerator, apex };
}

async function findBasis(ctx: Context, machine: MachineFacts, wanted: Wanted): Promise<Basis> {
  const { request, choices } = wanted;
  const origin = request.python === null ? 'private' : request.overlay ? 'overlay' : 'adopted';
  const accelerator = acceleratorOf(machine, ctx.env);
  const python = await findPython(ctx, request.python);
  if (origin !== 'private') refuse(torchRefusal(python.torch, python, accelerator));
  const requirementsText = await readFile(join(ctx.packageRoot, 'experiment/stacks/pip.txt'), 'utf8');
  const markers = { pythonVersion: python.version, sysPlatform: 'linux', machine: python.machine };
  const base = parseRequirements(requirementsText, markers);
  const isFork = choices.some(({ name }) => name === 'deepspeed');
  const choice = choosePackages(origin, base, request, python, isFork);
  return { origin, accelerator, python, markers, base, choice, requirementsText };
}

function hasMegatron({ choices }: Wanted): boolean {
  return choices.some(({ name }) => name === 'megatron');
}

function keyOf(
  machine: MachineFacts,
  { python, accelerator, choice: { versions } }: Basis,
  tools: { readonly compiler: Compiler; readonly ninja: string },
): string {
  return opsKey({
    torch: versions.torch ?? 'unknown',
    deepspeed: versions.deepspeed ?? 'unknown',
    python: python.version,
    accelerator,
    cpu: machine.cpu,
    compiler: tools.compiler.version,
    ninja: tools.ninja,
  });
}

/** What packages.json stands for: the same Python and the same list. */
function packagesKeyOf({ origin, python, choice: { packages, isComplete } }: Basis): string {
  const list = packages.map(({ name, version }) => `${name}==${version}`);
  return [origin, python.path, python.version, isComplete ? 'complete' : 'open', ...list].join(' ');
}

async function arePackagesReady(
  paths: ReturnType<typeof stackPaths>,
  key: string,
  origin: InstallFacts['origin'],
): Promise<boolean> {
  const done = (await readJson(paths.packagesDone).catch(() => undefined)) as { key?: string } | undefined;
  return done?.key === key && (origin === 'adopted' || existsSync(join(paths.venv, 'bin/python')));
}
