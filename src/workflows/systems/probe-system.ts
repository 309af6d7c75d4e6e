import { join } from 'node:path';
import { capture, type CommandResult } from '../../adapters/exec.ts';
import { dataFolders, readSystem, readSystemFile, readSystems } from '../../adapters/experiment-data.ts';
import { probeTool } from '../../adapters/probe/tools.ts';
import { loadStack } from '../../adapters/stack/store.ts';
import { probedSystemFile, readMeasurement, type Measurement } from '../../core/experiment/probed-system.ts';
import type { SystemFile } from '../../core/experiment/system-file.schema.ts';
import { bindCommand } from '../../core/launch/binding.ts';
import { stackEnvironment } from '../../core/stack/environment.ts';
import type { StackLock } from '../../core/stack/lock.ts';
import { resultLine } from '../../core/stack/result-line.ts';
import { faultsError, SuperOffloadError } from '../../errors.ts';
import { utcNow, type Context } from '../context.ts';
import { probedMachine, resolveMachine, type Machine } from '../machine.ts';
import { usableStack } from '../stacks/usable-stack.ts';
import { asTask } from '../task.ts';

export interface ProbeSystemRequest {
  readonly stack: string;
  /** Also measure; otherwise only what costs nothing to look up. */
  readonly measure: boolean;
  readonly dryRun: boolean;
  /** Measure with a stack that changed since it was installed. */
  readonly allowDrift: boolean;
  /** Arrays are sized for this much host memory, GiB, where that is less than what is free; null for no bound. */
  readonly memoryGiB: number | null;
}

export interface ProbeSystemReport {
  readonly schemaVersion: 1;
  /** This machine as a system file. */
  readonly system: SystemFile;
  /** Every sample; null where nothing was measured. */
  readonly measurement: Measurement | null;
  /** What measures; null where nothing does. */
  readonly command: readonly string[] | null;
  readonly elapsedMs: number;
}

const timeoutMs = 5 * 60_000;
const shownLines = 10;

/**
 * Describes this machine as a system file, and measures its rates with the torch of a stack.
 * @throws SuperOffloadError 'environment' for a stack that cannot be used; 'run_failed' when the measurement gives none.
 */
export async function probeSystem(ctx: Context, request: ProbeSystemRequest): Promise<ProbeSystemReport> {
  const began = ctx.now();
  const machine = await resolveMachine(ctx, 'local');
  const stack = request.measure ? await findStack(ctx, request, machine) : null;
  const command = stack === null ? null : await measuringCommand(ctx, stack, machine, request);
  const measurement =
    stack === null || command === null || request.dryRun ? null : await measure(ctx, stack, command);
  const folders = dataFolders(ctx);
  const system = probedSystemFile({
    machine: probedMachine(machine.facts, ctx.env),
    measurement,
    catalog: readSystems(folders),
    local: readSystem('local', folders),
    date: utcNow(ctx).slice(0, 'YYYY-MM-DD'.length),
  });
  requireValid(system);
  return { schemaVersion: 1, system, measurement, command, elapsedMs: ctx.now() - began };
}

/** What is printed here is read there: the same check, before anybody stores it. */
function requireValid(system: SystemFile): void {
  const read = readSystemFile(JSON.stringify(system), 'the system file of this machine');
  if (!read.ok) throw faultsError('environment', read.faults, 'Add --no-measure, and fill the rates in.');
}

async function findStack(
  ctx: Context,
  { stack: name, dryRun, allowDrift }: ProbeSystemRequest,
  machine: Machine,
): Promise<StackLock | null> {
  if ((await loadStack(ctx.home, name)) === undefined) {
    ctx.emit({
      type: 'warning',
      message: `nothing is measured: there is no stack ${JSON.stringify(name)}, whose torch would do it`,
      hint: 'run: superoffload install',
    });
    return null;
  }
  const { stack, notes } = await usableStack(ctx, { name, dryRun, allowDrift }, machine);
  for (const message of notes) ctx.emit({ type: 'note', message });
  return stack;
}

async function measuringCommand(
  ctx: Context,
  stack: StackLock,
  { facts, system }: Machine,
  { memoryGiB }: ProbeSystemRequest,
): Promise<readonly string[]> {
  const { cores, site, accelerator } = system;
  const bytes = Math.min(facts.memory.limitBytes, (memoryGiB ?? Number.POSITIVE_INFINITY) * 2 ** 30);
  const busy = facts.gpus.filter((gpu) => gpu.computeProcesses > 0);
  if (busy.length > 0) {
    const message = `GPU ${busy.map(({ index }) => index).join(', ')} is in use by others: what is measured is too low`;
    ctx.emit({ type: 'warning', message });
  }
  const command = [
    ...[stack.python.path, join(ctx.packageRoot, 'experiment/systems/measure.py')],
    `--threads=${cores}`,
    `--memory-bytes=${Math.floor(bytes)}`,
    ...(stack.ops.built.includes('cpu_adam') ? ['--adam'] : []),
    ...(accelerator === 'cpu' ? ['--no-gpu'] : []),
  ];
  if (site.hostNumaNodes === null) return command;
  if ((await probeTool('numactl', ctx.env, ctx.signal)).version === null) {
    ctx.emit({
      type: 'warning',
      message: "without numactl, host memory may come from the GPU's NUMA node: the numbers may be of that",
      hint: 'apt install numactl, or dnf install numactl',
    });
    return command;
  }
  const { hostNumaNodes } = site;
  return bindCommand({ binding: 'numactl', localRank: 0, ranksPerNode: 1, cores, hostNumaNodes }, command);
}

async function measure(ctx: Context, stack: StackLock, command: readonly string[]): Promise<Measurement> {
  return asTask(ctx, { id: 'measure', title: 'measure this machine' }, async ({ line }) => {
    const result = await capture(command, {
      env: stackEnvironment(stack, ctx.env),
      cwd: ctx.cwd,
      timeoutMs,
      signal: ctx.signal,
      onLine: (text) => {
        if (/^(measuring|measured|skipped) /.test(text)) line(text);
      },
    });
    ctx.signal.throwIfAborted();
    const measured = result.exitCode === 0 ? readMeasurement(resultLine(result.stdout)) : howItEnded(result);
    if (typeof measured === 'string') throw noAnswer(result, command, measured);
    for (const { field, why } of measured.skipped) {
      ctx.emit({ type: 'warning', message: `${field} was not measured: ${why}` });
    }
    return measured;
  });
}

function howItEnded({ timedOut, startError, exitCode, signal }: CommandResult): string {
  if (timedOut) return `not done in ${timeoutMs / 60_000} minutes`;
  return startError ?? (exitCode === null ? (signal ?? 'killed') : `exit status ${exitCode}`);
}

function noAnswer(result: CommandResult, command: readonly string[], why: string): SuperOffloadError {
  const said = `${result.stderr}\n${result.stdout}`.split('\n').filter((line) => line.trim() !== '');
  const lines = said.slice(-shownLines).map((line) => `| ${line}`);
  return new SuperOffloadError({
    code: 'run_failed',
    message: [`${command.join(' ')} gave no result (${why})`, ...lines].join('\n'),
    hint: 'to describe the machine without measuring it, add --no-measure',
  });
}
