import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../../adapters/exec.ts';
import type { CommandResult } from '../../adapters/exec.ts';
import { stackEnvironment } from '../../core/stack/environment.ts';
import { readForkRollback } from '../../core/stack/fork-rollback.ts';
import type { ForkRollback } from '../../core/stack/fork-rollback.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { judgeRollback, knownFaults, parseRollback } from '../../core/stack/rollback.ts';
import type { KnownFault, RollbackCheck } from '../../core/stack/rollback.ts';
import { SuperOffloadError } from '../../errors.ts';
import type { Context } from '../context.ts';
import { resolveMachine } from '../machine.ts';
import { asTask } from '../task.ts';
import { usableStack } from './usable-stack.ts';

export interface RollbackRequest {
  readonly stack: string;
  /** Elements of a subgroup. */
  readonly sizes: readonly number[];
  readonly dryRun: boolean;
  /** Goes on with a stack that changed since it was installed. */
  readonly allowDrift: boolean;
}

export interface RollbackReport {
  readonly schemaVersion: 1;
  readonly stack: string;
  readonly torch: string;
  readonly deepspeed: string;
  /** Of a DeepSpeed from a repository; null for a package. */
  readonly deepspeedCommit: string | null;
  /** Whose check: this tool's, or the script that came with the fork. */
  readonly program: 'own' | 'fork';
  readonly command: readonly string[];
  /** Why the fork's script was not what ran although DeepSpeed comes from a repository; null otherwise. */
  readonly note: string | null;
  readonly checks: readonly RollbackCheck[];
  /** What the fork's script printed, and what it comes to; null for this tool's own check. */
  readonly fork: (ForkRollback & { readonly output: string }) | null;
  readonly knownFaults: readonly KnownFault[];
  /** null for a dry run. */
  readonly passed: boolean | null;
  readonly elapsedMs: number;
}

const forkScript = 'tests/superadam/rollback.py';
const shownLines = 15;

/**
 * Takes optimizer steps on the CPU, rolls them back, and reports how exactly that restores what was there: with the
 * fork's own script where the stack has it, else with a check that drives `step_subgroup` and `rollback_subgroup`.
 * That checks fail is a result. Changes nothing in the stack.
 * @throws SuperOffloadError 'environment' without a usable stack; 'install' when its CPU Adam cannot be driven.
 */
export async function rollback(ctx: Context, request: RollbackRequest): Promise<RollbackReport> {
  const machine = await resolveMachine(ctx, 'local');
  const choice = { name: request.stack, dryRun: false, allowDrift: request.allowDrift };
  const { stack, notes } = await usableStack(ctx, choice, machine);
  if (stack === null) throw new Error('a stack that is needed is never null');
  for (const message of notes) ctx.emit({ type: 'warning', message });
  requireOp(stack);
  const began = ctx.now();
  const plan = planOf(ctx, stack, request);
  if (plan.note !== null) ctx.emit({ type: 'note', message: plan.note });
  const base = { schemaVersion: 1, stack: stack.name, ...versionsOf(stack), ...plan } as const;
  if (request.dryRun) return { ...base, ...nothing, passed: null, elapsedMs: 0 };
  const found = await run(ctx, stack, plan);
  return { ...base, ...nothing, ...found, elapsedMs: ctx.now() - began };
}

const nothing = { checks: [], fork: null, knownFaults: [] } as const;

type Plan = Pick<RollbackReport, 'program' | 'command' | 'note'>;

function planOf(ctx: Context, stack: StackLock, { sizes }: RollbackRequest): Plan {
  const source = stack.upstreams.deepspeed;
  const own = [stack.python.path, join(ctx.packageRoot, 'experiment/stacks/check_rollback.py')];
  const command = [...own, ...sizes.map(String)];
  if (source === undefined || source.commit === null) return { program: 'own', command, note: null };
  const script = join(source.directory, forkScript);
  if (existsSync(script)) return { program: 'fork', command: [stack.python.path, script], note: null };
  const note =
    `${forkScript} is not in the DeepSpeed of stack ${stack.name} (${source.url ?? source.directory} at ` +
    `${source.commit.slice(0, 12)}): this tool's own check runs instead`;
  return { program: 'own', command, note };
}

function versionsOf({ torch, deepspeed, upstreams }: StackLock) {
  const deepspeedCommit = upstreams.deepspeed?.commit ?? null;
  return { torch: torch.version, deepspeed: deepspeed.version, deepspeedCommit };
}

/** Without it DeepSpeed would compile inside the check, with whatever compiler is on PATH. */
function requireOp({ name, ops }: StackLock): void {
  if (ops.built.includes('cpu_adam')) return;
  throw new SuperOffloadError({
    code: 'install',
    message: `stack ${JSON.stringify(name)} was built without DeepSpeed's cpu_adam, which is what this checks`,
    hint: `run: superoffload install --stack ${name} --reinstall`,
  });
}

/** Runs the program as one task; its newest line is what the audience sees. */
async function run(ctx: Context, stack: StackLock, { program, command }: Plan): Promise<Found> {
  return asTask(ctx, { id: 'rollback', title: 'step and roll back on the CPU' }, async ({ line }) => {
    const result = await capture(command, {
      env: stackEnvironment(stack, ctx.env),
      cwd: ctx.cwd,
      signal: ctx.signal,
      onLine: (text) => {
        if (text.startsWith('checked ') || text.startsWith('Optimizer ')) line(text);
      },
    });
    ctx.signal.throwIfAborted();
    return program === 'fork' ? forkResult(result, command) : ownResult(result, command);
  });
}

type Found = Pick<RollbackReport, 'checks' | 'fork' | 'knownFaults' | 'passed'>;

function ownResult(result: CommandResult, command: readonly string[]): Found {
  const measured = result.exitCode === 0 ? parseRollback(result.stdout) : undefined;
  if (measured === undefined) throw noAnswer(result, command);
  const checks = measured.checks.map(judgeRollback);
  const passed = checks.every((check) => check.passed);
  return { checks, fork: null, knownFaults: knownFaults(checks), passed };
}

function forkResult(result: CommandResult, command: readonly string[]): Found {
  const said = result.exitCode === 0 ? readForkRollback(result.stdout) : undefined;
  if (said === undefined) throw noAnswer(result, command);
  return { checks: [], fork: { ...said, output: result.stdout }, knownFaults: [], passed: said.passed };
}

function noAnswer(result: CommandResult, command: readonly string[]): SuperOffloadError {
  const how =
    result.startError ??
    (result.exitCode === null ? (result.signal ?? 'killed') : `exit status ${result.exitCode}`);
  const lines = `${result.stderr}\n${result.stdout}`
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-shownLines);
  return new SuperOffloadError({
    code: 'install',
    message: [`${command.join(' ')} gave no result (${how})`, ...lines.map((line) => `| ${line}`)].join('\n'),
    hint:
      result.signal === 'SIGKILL'
        ? 'the machine may be short of memory: try smaller --sizes'
        : 'see `superoffload stacks verify`, or install the stack anew: superoffload install --reinstall',
  });
}
