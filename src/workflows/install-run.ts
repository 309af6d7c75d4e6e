import { createHash } from 'node:crypto';
import { statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder, withFileErrors, writeJsonAtomic } from '../adapters/files.ts';
import { inspectPython } from '../adapters/probe/python.ts';
import { installMark, killLeftovers } from '../adapters/stack/leftovers.ts';
import { runStep } from '../adapters/stack/run-step.ts';
import type { StepContext, StepResult } from '../adapters/stack/run-step.ts';
import { stackPaths } from '../adapters/stack/store.ts';
import { readOpFlags } from '../adapters/stack/tools.ts';
import type { MachineFacts } from '../core/machine/facts.ts';
import { fixedEnvironment, installerEnvironment, stackEnvironment } from '../core/stack/environment.ts';
import { explainFailure } from '../core/stack/failures.ts';
import { pathPrefixOf, stackPython } from '../core/stack/install-plan.ts';
import { lockHashText, lockSchemaVersion } from '../core/stack/lock.ts';
import type { StackLock } from '../core/stack/lock.ts';
import { checksHashes } from '../core/stack/package-steps.ts';
import { torchRefusal } from '../core/stack/refusals.ts';
import { renderRequirements } from '../core/stack/requirements.ts';
import type { InstallStep } from '../core/stack/steps.ts';
import { judge, parseVerification } from '../core/stack/verification.ts';
import type { Verification } from '../core/stack/verification.ts';
import { SuperOffloadError } from '../errors.ts';
import { utcNow, type Context } from './context.ts';
import type { Collected, Wanted } from './install-facts.ts';

interface Work {
  readonly machine: MachineFacts;
  readonly wanted: Wanted;
  readonly collected: Collected;
  readonly steps: readonly InstallStep[];
}

type Fixed = Pick<StackLock, 'pathPrefix' | 'environment'>;

const stackBytes = 10e9;

/** Runs the steps of a plan, judges the proof, and writes the lock. */
export async function runInstall(ctx: Context, work: Work): Promise<StackLock> {
  const began = ctx.now();
  const paths = stackPaths(ctx.home, work.wanted.name);
  await withFileErrors(paths.directory, async () => {
    await makeFolder(work.collected.facts.opsDirectory);
    await writeFile(paths.installLog, '');
  });
  if (work.collected.facts.origin === 'private') await warnOfSmallDisk(ctx, paths.directory);
  const fixed = fixedOf(ctx, work);
  let verified: Verification | undefined;
  for (const step of work.steps) {
    if (step.id === 'ops') await refuseUnfitTorch(ctx, work, fixed);
    const result = await runVisibly(ctx, work, fixed, step);
    if (step.id === 'verify') verified = checked(ctx, work, result);
  }
  if (verified === undefined) throw new Error('the install plan has no verification');
  const lock = await makeLock(ctx, work, fixed, verified, ctx.now() - began);
  await writeJsonAtomic(paths.lock, lock);
  return lock;
}

function fixedOf(ctx: Context, { collected, machine, wanted }: Work): Fixed {
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

/** Runs one step as a task: its newest line and the time it has taken are told every second. */
async function runVisibly(ctx: Context, work: Work, fixed: Fixed, step: InstallStep): Promise<StepResult> {
  ctx.signal.throwIfAborted();
  const began = ctx.now();
  const isQuiet = step.kind !== 'command';
  const elapsed = (): number => ctx.now() - began;
  let line = step.title;
  const tell = (): void => {
    ctx.emit({ type: 'task-output', id: step.id, line, elapsedMs: elapsed() });
  };
  const timer = isQuiet ? undefined : setInterval(tell, 1000);
  if (!isQuiet) ctx.emit({ type: 'task', id: step.id, state: 'start', message: step.title });
  try {
    const context = stepContext(ctx, work, fixed, (newest) => {
      line = newest;
      tell();
    });
    const result = await runStep(step, context);
    if (result.failure === null) {
      if (!isQuiet) emitEnd(ctx, step, 'done', elapsed());
      return result;
    }
    await killLeftovers(stackPaths(ctx.home, work.wanted.name).directory);
    ctx.signal.throwIfAborted();
    emitEnd(ctx, step, 'failed', elapsed());
    throw new SuperOffloadError(explainFailure(step, result.failure, result.tail, context.log));
  } finally {
    clearInterval(timer);
  }
}

function emitEnd(ctx: Context, step: InstallStep, state: 'done' | 'failed', elapsedMs: number): void {
  ctx.emit({ type: 'task', id: step.id, state, message: step.title, elapsedMs });
}

function stepContext(
  ctx: Context,
  { wanted }: Work,
  fixed: Fixed,
  onLine: (line: string) => void,
): StepContext {
  const paths = stackPaths(ctx.home, wanted.name);
  const mark = { [installMark]: paths.directory };
  const stack: Record<string, string> = { ...stackEnvironment(fixed, ctx.env), ...mark };
  return {
    environments: {
      installer: { ...installerEnvironment(ctx.env), ...mark },
      stack,
      'stack without a compiler': {
        ...stack,
        PATH: `${join(paths.directory, 'no-compiler')}:${stack['PATH'] ?? ''}`,
      },
    },
    cwd: paths.directory,
    log: paths.installLog,
    signal: ctx.signal,
    onLine,
  };
}

/** Before minutes of compiling: a GPU that this torch cannot use. */
async function refuseUnfitTorch(ctx: Context, { collected }: Work, fixed: Fixed): Promise<void> {
  const { facts, accelerator } = collected;
  const program = join(ctx.packageRoot, 'experiment/stacks/inspect_python.py');
  const env = stackEnvironment(fixed, ctx.env);
  const python = stackPython(facts.origin, facts.folders, facts.python);
  const found = await inspectPython(python, { env, program, withPackages: true });
  const refusal = torchRefusal(
    found.facts?.torch ?? null,
    { path: python, machine: facts.python.machine },
    accelerator,
  );
  if (refusal !== undefined) throw new SuperOffloadError({ code: 'install', ...refusal });
}

function checked(ctx: Context, { collected, machine }: Work, result: StepResult): Verification {
  const found = parseVerification(result.stdout);
  if (found === undefined) throw new Error('the verification printed no result');
  const { refusals, warnings } = judge(found, collected.accelerator, machine);
  for (const message of warnings) ctx.emit({ type: 'warning', message });
  if (refusals.length === 0) return found;
  const message = refusals.map((refusal) => refusal.message).join('\n');
  throw new SuperOffloadError({
    code: 'install',
    message,
    hint: refusals.map(({ hint }) => hint).join('\n'),
  });
}

async function makeLock(
  ctx: Context,
  { wanted, collected }: Work,
  fixed: Fixed,
  verified: Verification,
  installMs: number,
): Promise<StackLock> {
  const { facts, compiler, ninja, key, accelerator } = collected;
  const text = facts.requirementsText ?? renderRequirements(facts.packages, checksHashes(facts));
  const lock: Omit<StackLock, 'hash'> = {
    schemaVersion: lockSchemaVersion,
    ...{ name: wanted.name, origin: facts.origin, accelerator, request: wanted.request },
    python: {
      path: stackPython(facts.origin, facts.folders, facts.python),
      ...{ version: verified.python, base: facts.python.base },
    },
    torch: { version: verified.torch, cuda: verified.cuda },
    deepspeed: { version: verified.deepspeed },
    ops: {
      ...{ directory: facts.opsDirectory, key, built: facts.ops, compiler: compiler.version, ninja },
      flags: await readOpFlags(facts.opsDirectory, facts.ops),
    },
    upstreams: {},
    apex: null,
    packages: verified.packages,
    requirementsSha256: facts.packages.length === 0 ? null : sha256(text),
    hashesChecked: checksHashes(facts),
    ...fixed,
    createdUtc: utcNow(ctx),
    installMs,
  };
  return { ...lock, hash: sha256(lockHashText(lock)) };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function warnOfSmallDisk(ctx: Context, directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= stackBytes) return;
  const free = ((bavail * bsize) / 1e9).toFixed(1);
  const hint = 'free space, or set SUPEROFFLOAD_HOME to a folder on a larger disk';
  ctx.emit({ type: 'warning', message: `${free} GB are free here; a stack takes up to 10 GB`, hint });
}
