/** What an install does, decided from data alone: facts and a request in, steps out. */
import { describeMissing } from './refusals.ts';
import type { StackOrigin } from '../stack/lock.ts';
import type { InstallFacts, StackFolders } from './facts.ts';
import { ninjaThatRefusesWork } from '../stack/ops.ts';
import { packageSteps } from './package-steps.ts';
import type { PythonFacts } from '../stack/python.ts';
import { importSteps, sourceSteps } from './source-steps.ts';
import type { InstallStep } from './steps.ts';
import { SuperOffloadError } from '../../errors.ts';

/** The interpreter that every process of the stack runs on. */
export function stackPython(
  origin: StackOrigin,
  folders: Pick<StackFolders, 'venv'>,
  python: PythonFacts,
): string {
  return origin === 'adopted' ? python.path : `${folders.venv}/bin/python`;
}

/** Folders that come first on PATH of every process of the stack. */
export function pathPrefixOf(
  origin: StackOrigin,
  folders: Pick<StackFolders, 'venv' | 'bin'>,
  python: PythonFacts,
): string[] {
  const own = python.path.slice(0, python.path.lastIndexOf('/'));
  if (origin === 'private') return [`${folders.venv}/bin`];
  return [origin === 'adopted' ? folders.bin : `${folders.venv}/bin`, own];
}

/** @throws SuperOffloadError 'install' when an adopted environment lacks packages. */
export function planInstall(facts: InstallFacts): InstallStep[] {
  const missing = [...facts.packages, ...facts.sources.packages];
  if (facts.origin === 'adopted' && missing.length > 0) {
    const withMegatron = facts.sources.choices.some(({ name }) => name === 'megatron');
    throw new SuperOffloadError({
      code: 'install',
      ...describeMissing(facts.python, missing, withMegatron),
    });
  }
  const notReady: InstallStep = {
    kind: 'remove',
    id: 'not-ready',
    title: 'say that the stack is not ready',
    path: facts.folders.lock,
  };
  // On a full disk Python leaves bytecode cut short, on which every later import fails.
  const freshBytecode: InstallStep = {
    kind: 'remove',
    id: 'clean',
    title: 'remove old bytecode',
    path: facts.folders.bytecode,
  };
  const noManifest: InstallStep = {
    kind: 'remove',
    id: 'clean',
    title: 'forget what lay on the disk',
    path: facts.folders.manifest,
  };
  const start = [notReady, noManifest, ...(facts.origin === 'private' ? [] : [freshBytecode])];
  return [
    ...start,
    ...(facts.packagesReady ? [] : packageSteps(facts)),
    ...sourceSteps(facts),
    ...opSteps(facts),
    ...verifySteps(facts),
    ...importSteps(facts, stackPython(facts.origin, facts.folders, facts.python)),
  ];
}

function opSteps(facts: InstallFacts): InstallStep[] {
  if (facts.ops.length === 0) return [];
  const python = stackPython(facts.origin, facts.folders, facts.python);
  return [
    {
      kind: 'command',
      id: 'ops',
      title: `build DeepSpeed's ${facts.ops.join(' and ')}`,
      command: [python, facts.checkProgram, 'build', ...facts.ops],
      environment: 'stack',
    },
  ];
}

function verifySteps(facts: InstallFacts): InstallStep[] {
  const python = stackPython(facts.origin, facts.folders, facts.python);
  const directory = `${facts.folders.directory}/no-compiler`;
  const prefix = pathPrefixOf(facts.origin, facts.folders, facts.python)[0] ?? facts.folders.bin;
  return [
    {
      kind: 'write',
      id: 'no-compiler',
      title: 'forbid compiling',
      path: `${directory}/ninja`,
      text: ninjaThatRefusesWork(`${prefix}/ninja`),
      mode: 0o755,
    },
    {
      kind: 'command',
      id: 'verify',
      title: 'import, load the ops without a compiler, and take one optimizer step',
      command: [python, facts.checkProgram, 'verify', ...facts.ops],
      environment: 'stack without a compiler',
    },
    { kind: 'remove', id: 'clean', title: 'allow compiling again', path: directory },
  ];
}
