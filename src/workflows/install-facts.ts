import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson } from '../adapters/files.ts';
import { inspectPython, probePythons, pythonCommands } from '../adapters/probe/python.ts';
import { findOnPath } from '../adapters/probe/search-path.ts';
import { stackPaths } from '../adapters/stack/store.ts';
import { versionOf } from '../adapters/probe/tools.ts';
import { findCompiler, findInstaller } from '../adapters/stack/tools.ts';
import type { Compiler } from '../adapters/stack/tools.ts';
import { acceleratorOf } from '../core/machine/facts.ts';
import type { MachineFacts } from '../core/machine/facts.ts';
import type { InstallFacts, Installer } from '../core/stack/install-facts.ts';
import type { MarkerEnvironment } from '../core/stack/markers.ts';
import type { StackRequest } from '../core/stack/lock.ts';
import { opsFor, opsKey } from '../core/stack/ops.ts';
import type { OpName } from '../core/stack/ops.ts';
import { choosePython } from '../core/stack/python.ts';
import type { PythonFacts } from '../core/stack/python.ts';
import { pythonRefusal, torchRefusal } from '../core/stack/refusals.ts';
import { choosePackages } from '../core/stack/package-choice.ts';
import type { PackageChoice } from '../core/stack/package-choice.ts';
import { parseRequirements } from '../core/stack/requirements.ts';
import { SuperOffloadError } from '../errors.ts';
import type { Context } from './context.ts';

export interface Wanted {
  readonly name: string;
  readonly request: StackRequest;
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
  const paths = stackPaths(ctx.home, wanted.name);
  const origin = wanted.request.python === null ? 'private' : wanted.request.overlay ? 'overlay' : 'adopted';
  const accelerator = acceleratorOf(machine, ctx.env);
  const python = await findPython(ctx, wanted.request.python);
  if (origin !== 'private') refuse(torchRefusal(python.torch, python, accelerator));
  const text = await readFile(join(ctx.packageRoot, 'experiment/stacks/pip.txt'), 'utf8');
  const choice = choosePackages(origin, parseRequirements(text, markersOf(python)), wanted.request, python);
  const tools = await findTools(ctx, python, origin, wanted.findLinks, choice.versions.ninja);
  const key = keyOf(machine, python, accelerator, choice, tools);
  const packagesKey = packagesKeyOf(origin, python, choice);
  const facts: InstallFacts = {
    origin,
    folders: paths,
    python,
    installer: tools.installer,
    packages: choice.packages,
    isComplete: choice.isComplete,
    requirementsText: choice.isFileAsItIs ? text : null,
    findLinks: wanted.findLinks,
    isOffline: wanted.isOffline,
    packagesKey,
    packagesReady: !isAnew && (await arePackagesReady(paths, packagesKey, origin)),
    opsDirectory: join(paths.ops, key),
    ops: wanted.ops ?? opsFor(accelerator),
    systemNinja: tools.systemNinja,
    checkProgram: join(ctx.packageRoot, 'experiment/stacks/check_stack.py'),
  };
  return { facts, compiler: tools.compiler, ninja: tools.ninja, key, accelerator };
}

function keyOf(
  machine: MachineFacts,
  python: PythonFacts,
  accelerator: 'cuda' | 'cpu',
  { versions }: PackageChoice,
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

function markersOf({ version, machine }: PythonFacts): MarkerEnvironment {
  return { pythonVersion: version, sysPlatform: 'linux', machine };
}

/** What packages.json stands for: the same Python and the same list. */
function packagesKeyOf(origin: string, python: PythonFacts, { packages, isComplete }: PackageChoice): string {
  const list = packages.map(({ name, version }) => `${name}==${version}`);
  return [origin, python.path, python.version, isComplete ? 'complete' : 'open', ...list].join(' ');
}

async function findTools(
  ctx: Context,
  python: PythonFacts,
  origin: InstallFacts['origin'],
  findLinks: string | null,
  packagedNinja: string | undefined,
) {
  const [compiler, installer, systemNinja] = await Promise.all([
    needCompiler(ctx),
    needInstaller(ctx, python, origin, findLinks),
    findNinja(ctx),
  ]);
  const ninja = packagedNinja ?? systemNinja?.version;
  if (ninja === undefined) throw missingNinja();
  return { compiler, installer, ninja, systemNinja: systemNinja?.path ?? null };
}

async function findPython(ctx: Context, command: string | null): Promise<PythonFacts> {
  const program = join(ctx.packageRoot, 'experiment/stacks/inspect_python.py');
  if (command !== null) {
    const { facts, problem } = await inspectPython(command, { env: ctx.env, program, withPackages: true });
    if (facts !== null) {
      refuse(pythonRefusal(facts));
      return facts;
    }
    throw new SuperOffloadError({
      code: 'install',
      message: `${command} does not work as a Python (${problem ?? 'no answer'})`,
      hint: 'superoffload doctor lists the Pythons that do',
    });
  }
  const candidates = await probePythons(pythonCommands(ctx.env), { env: ctx.env, program });
  const chosen = choosePython(candidates);
  if (chosen !== undefined) return chosen;
  throw new SuperOffloadError({
    code: 'environment',
    message: 'no usable Python: 3.10 or newer, 64-bit, with Python.h',
    hint: 'superoffload doctor says what each one lacks; `uv python install 3.12` brings one that has everything',
  });
}

async function needCompiler(ctx: Context): Promise<Compiler> {
  const compiler = await findCompiler(ctx.env);
  if (compiler !== undefined) return compiler;
  throw new SuperOffloadError({
    code: 'environment',
    message: "no C++ compiler, and DeepSpeed's CPU optimizer must be compiled",
    hint: 'install one (Debian, Ubuntu: apt install g++; Fedora, RHEL: dnf install gcc-c++), or set CXX',
  });
}

async function needInstaller(
  ctx: Context,
  python: PythonFacts,
  origin: InstallFacts['origin'],
  findLinks: string | null,
): Promise<Installer> {
  if (origin === 'adopted') return { kind: 'pip', from: 'packages' };
  const installer = await findInstaller(ctx.env, python, { isOverlay: origin === 'overlay', findLinks });
  if (installer !== undefined) return installer;
  throw new SuperOffloadError({
    code: 'environment',
    message: `neither uv nor pip is there for ${python.path}`,
    hint: 'install uv, or the venv package of that Python (Debian, Ubuntu: python3-venv), or put a pip wheel into --find-links DIR',
  });
}

async function findNinja(ctx: Context): Promise<{ path: string; version: string } | undefined> {
  const path = findOnPath('ninja', ctx.env);
  const version = path === undefined ? undefined : await versionOf([path], ctx.env);
  return path === undefined || version === undefined ? undefined : { path, version };
}

function missingNinja(): SuperOffloadError {
  return new SuperOffloadError({
    code: 'environment',
    message: 'no ninja, which torch needs to compile and load ops',
    hint: 'install it (pip install ninja, or apt install ninja-build), or use --overlay',
  });
}

async function arePackagesReady(
  paths: ReturnType<typeof stackPaths>,
  key: string,
  origin: InstallFacts['origin'],
): Promise<boolean> {
  const done = (await readJson(paths.packagesDone).catch(() => undefined)) as { key?: string } | undefined;
  return done?.key === key && (origin === 'adopted' || existsSync(join(paths.venv, 'bin/python')));
}

function refuse(refusal: { readonly message: string; readonly hint: string } | undefined): void {
  if (refusal !== undefined) throw new SuperOffloadError({ code: 'install', ...refusal });
}
