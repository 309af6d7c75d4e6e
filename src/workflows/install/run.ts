import { statfs, writeFile } from 'node:fs/promises';
import { makeFolder, withFileErrors, writeJsonAtomic } from '../../adapters/files.ts';
import { takeManifest } from '../../adapters/stack/manifest.ts';
import type { StepResult } from '../../adapters/stack/run-step.ts';
import { stackPaths } from '../../adapters/stack/store.ts';
import type { MachineFacts } from '../../core/machine/facts.ts';
import { fixedEnvironment, stackEnvironment } from '../../core/stack/environment.ts';
import { judgeImports, parseImports } from '../../core/install/imports.ts';
import { pathPrefixOf, stackPython } from '../../core/install/plan.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { torchRefusal } from '../../core/install/refusals.ts';
import type { InstallStep } from '../../core/install/steps.ts';
import { judge, parseVerification } from '../../core/install/verification.ts';
import type { Verification } from '../../core/install/verification.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import type { Collected, Wanted } from './facts.ts';
import { overlayNote } from './apex.ts';
import { makeLock } from './lock.ts';
import { runInstallStep } from './step.ts';
import type { FixedEnvironment, StepWork } from './step.ts';
import { UpstreamInstall } from './upstreams.ts';

interface Work {
  readonly machine: MachineFacts;
  readonly wanted: Wanted;
  readonly collected: Collected;
  readonly steps: readonly InstallStep[];
}

const stackBytes = 10e9;

/** Runs the steps of a plan, judges the proofs, and writes down what lies there, the lock last. */
export async function runInstall(ctx: Context, work: Work): Promise<StackLock> {
  const began = ctx.now();
  const { wanted, collected, machine } = work;
  const { facts } = collected;
  const paths = stackPaths(ctx.home, wanted.name);
  await withFileErrors(paths.directory, async () => {
    await makeFolder(facts.opsDirectory);
    await writeFile(paths.installLog, '');
  });
  if (facts.origin === 'private') await warnOfSmallDisk(ctx, paths.directory);
  const fixed = fixedOf(ctx, work);
  const upstreams = new UpstreamInstall(ctx);
  if (collected.apex?.decision.kind === 'overlay') {
    ctx.emit({ type: 'note', message: overlayNote(collected.apex.decision.reason) });
    upstreams.apex = { kind: 'overlay', extensions: [] };
  }
  const python = stackPython(facts.origin, facts.folders, facts.python);
  const stepWork = { name: wanted.name, fixed, upstreams, python, apex: collected.apex };
  let verified: Verification | undefined;
  for (const step of work.steps) {
    if (step.id === 'ops') await refuseUnfitTorch(ctx, work, stepWork);
    const result = await runInstallStep(ctx, stepWork, step);
    if (step.id === 'verify') verified = checked(ctx, work, result);
    if (step.id === 'imports') requireImports(work, result);
  }
  if (verified === undefined) throw new Error('the install plan has no verification');
  const lock = await makeLock(ctx, {
    ...{ wanted, collected, machine, fixed, verified, apex: upstreams.apex },
    upstreams: await upstreams.locks(),
    installMs: ctx.now() - began,
  });
  await takeManifest(lock, { signal: ctx.signal });
  await writeJsonAtomic(paths.lock, lock);
  return lock;
}

function fixedOf(ctx: Context, { collected, machine, wanted }: Work): FixedEnvironment {
  const { facts, compiler, accelerator } = collected;
  return {
    pathPrefix: pathPrefixOf(facts.origin, facts.folders, facts.python),
    environment: fixedEnvironment({
      ...{ origin: facts.origin, accelerator, gpus: machine.gpus, cpu: machine.cpu },
      memoryBytes: Math.min(machine.memory.limitBytes, machine.memory.availableBytes),
      bytecodeDirectory: stackPaths(ctx.home, wanted.name).bytecode,
      ...{ opsDirectory: facts.opsDirectory, compiler: compiler.path },
      ...{ maxJobs: ctx.env['MAX_JOBS'], pythonPath: ctx.env['PYTHONPATH'] },
    }),
  };
}

/** Before minutes of compiling: a GPU that this torch cannot use. */
async function refuseUnfitTorch(
  ctx: Context,
  { collected }: Work,
  { fixed, upstreams, python }: StepWork,
): Promise<void> {
  const torch = await upstreams.torchIfAny({ python, env: stackEnvironment(fixed, ctx.env) });
  const { machine } = collected.facts.python;
  const refusal = torchRefusal(torch, { path: python, machine }, collected.accelerator);
  if (refusal !== undefined) throw new SuperOffloadError({ code: 'install', ...refusal });
}

function checked(ctx: Context, { collected, machine }: Work, result: StepResult): Verification {
  const found = parseVerification(result.stdout);
  if (found === undefined) throw new Error('the verification printed no result');
  const { refusals, warnings } = judge(found, collected.accelerator, machine);
  for (const message of warnings) ctx.emit({ type: 'warning', message });
  refuse(refusals);
  return found;
}

/** pip may say that all is well and Python import another copy: only the path of what it imported counts. */
function requireImports({ collected }: Work, { stdout }: StepResult): void {
  const { folders, sources } = collected.facts;
  const found = parseImports(stdout);
  if (found === undefined) throw new Error('the import check printed no result');
  refuse(judgeImports(found, { folder: folders.sources, sources }));
}

function refuse(refusals: readonly { readonly message: string; readonly hint: string }[]): void {
  if (refusals.length === 0) return;
  const message = refusals.map((refusal) => refusal.message).join('\n');
  const hint = refusals.map((refusal) => refusal.hint).join('\n');
  throw new SuperOffloadError({ code: 'install', message, hint });
}

async function warnOfSmallDisk(ctx: Context, directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= stackBytes) return;
  const free = ((bavail * bsize) / 1e9).toFixed(1);
  const hint = 'free space, or set SUPEROFFLOAD_HOME to a folder on a larger disk';
  ctx.emit({ type: 'warning', message: `${free} GB are free here; a stack takes up to 10 GB`, hint });
}
