import { join } from 'node:path';
import { installMark, killLeftovers } from '../../adapters/stack/leftovers.ts';
import { runStep } from '../../adapters/stack/run-step.ts';
import type { StepContext, StepResult } from '../../adapters/stack/run-step.ts';
import { stackPaths } from '../../adapters/stack/store.ts';
import { installerEnvironment, stackEnvironment } from '../../core/stack/environment.ts';
import { buildProgress } from '../../core/install/build-progress.ts';
import { pipProgress } from '../../core/install/pip-progress.ts';
import { explainFailure } from '../../core/install/failures.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import type { InstallStep } from '../../core/install/steps.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { settleApex, type Foreseen } from './apex.ts';
import type { UpstreamInstall } from './upstreams.ts';
import { asTask } from '../task.ts';

/** What every process of the stack that is being made runs with. */
export type FixedEnvironment = Pick<StackLock, 'pathPrefix' | 'environment'>;

export interface StepWork {
  /** Of the stack. */
  readonly name: string;
  readonly fixed: FixedEnvironment;
  readonly upstreams: UpstreamInstall;
  /** The stack's Python. */
  readonly python: string;
  /** null where nothing needs Apex. */
  readonly apex: Foreseen | null;
}

const nothingSaid: StepResult = { failure: null, stdout: '', tail: [] };

/**
 * Runs one step; one that takes long is a task.
 * @throws SuperOffloadError with what to do about it, or the signal's reason.
 */
export async function runInstallStep(ctx: Context, work: StepWork, step: InstallStep): Promise<StepResult> {
  ctx.signal.throwIfAborted();
  switch (step.kind) {
    case 'command':
    case 'source':
      return asTask(ctx, step, ({ line }) => act(ctx, work, step, lineOf(step, line)));
    case 'patch': {
      // A series tells of itself.
      await work.upstreams.patch(step, { python: work.python, env: stackEnvironment(work.fixed, ctx.env) });
      return nothingSaid;
    }
    case 'apex':
      return decideApex(ctx, work);
    default:
      return act(ctx, work, step, () => undefined);
  }
}

/** Minutes of compiling are told by files, of pip by packages. */
function lineOf({ id }: InstallStep, line: (text: string) => void): (text: string) => void {
  const show = id === 'ops' ? buildProgress() : pipProgress;
  return (text) => {
    const shown = show(text);
    if (shown !== null) line(shown);
  };
}

async function decideApex(ctx: Context, work: StepWork): Promise<StepResult> {
  const { upstreams, apex, python, fixed } = work;
  if (apex === null) throw new Error('an install without Megatron has no Apex');
  const torch = await upstreams.torch({ python, env: stackEnvironment(fixed, ctx.env) });
  upstreams.apex = await settleApex(ctx, apex, torch, (step) => runInstallStep(ctx, work, step));
  return nothingSaid;
}

async function act(
  ctx: Context,
  work: StepWork,
  step: Exclude<InstallStep, { kind: 'patch' | 'apex' }>,
  onLine: (line: string) => void,
): Promise<StepResult> {
  if (step.kind === 'source') {
    await work.upstreams.fetch(step, onLine);
    return nothingSaid;
  }
  const context = stepContext(ctx, work, onLine);
  const result = await runStep(step, context);
  if (result.failure === null) return result;
  await killLeftovers(stackPaths(ctx.home, work.name).directory);
  ctx.signal.throwIfAborted();
  throw new SuperOffloadError(explainFailure(step, result.failure, result.tail, context.log));
}

function stepContext(ctx: Context, { name, fixed }: StepWork, onLine: (line: string) => void): StepContext {
  const paths = stackPaths(ctx.home, name);
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
