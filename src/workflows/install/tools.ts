import { join } from 'node:path';
import { inspectPython, probePythons, pythonCommands } from '../../adapters/probe/python.ts';
import { findOnPath } from '../../adapters/probe/search-path.ts';
import { versionOf } from '../../adapters/probe/tools.ts';
import { findCompiler, findInstaller } from '../../adapters/stack/tools.ts';
import type { Compiler } from '../../adapters/stack/tools.ts';
import type { InstallFacts, Installer } from '../../core/install/facts.ts';
import { choosePython } from '../../core/stack/python.ts';
import type { PythonFacts } from '../../core/stack/python.ts';
import { pythonRefusal } from '../../core/install/refusals.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';

/** @throws SuperOffloadError 'environment' for each that is missing. */
export async function findTools(
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

/**
 * The Python that was named, or the best one here.
 * @throws SuperOffloadError 'install' for one that does not do, 'environment' where there is none.
 */
export async function findPython(ctx: Context, command: string | null): Promise<PythonFacts> {
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

export function refuse(refusal: { readonly message: string; readonly hint: string } | undefined): void {
  if (refusal !== undefined) throw new SuperOffloadError({ code: 'install', ...refusal });
}
