import { readdir } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { freePort } from '../adapters/free-port.ts';
import { probeDisk } from '../adapters/probe/disk.ts';
import { probeMachine } from '../adapters/probe/machine.ts';
import { probePythons, pythonCommands } from '../adapters/probe/python.ts';
import { probeTool } from '../adapters/probe/tools.ts';
import { loadStack } from '../adapters/stack/store.ts';
import { diagnose } from '../core/doctor/checks.ts';
import type { Diagnosis } from '../core/doctor/checks.ts';
import { toolNames } from '../core/doctor/facts.ts';
import type { DoctorFacts, ToolFacts, ToolName } from '../core/doctor/facts.ts';
import { acceleratorOf } from '../core/machine/facts.ts';
import type { MachineFacts } from '../core/machine/facts.ts';
import { isCurrent } from '../core/stack/current.ts';
import { SuperOffloadError } from '../errors.ts';
import type { Context } from './context.ts';

export interface DoctorReport extends Diagnosis {
  readonly facts: DoctorFacts;
}

/**
 * Looks at this machine and says what it can run. Changes nothing.
 * @param options.python one more Python to try, as `install --python` would.
 */
export async function doctor(ctx: Context, options: { readonly python?: string }): Promise<DoctorReport> {
  const { env } = ctx;
  const program = join(ctx.packageRoot, 'experiment/stacks/inspect_python.py');
  const own = options.python === undefined ? [] : [absolute(ctx.cwd, options.python)];
  const [machine, pythons, tools, port] = await Promise.all([
    probeMachine(env, ctx.signal),
    probePythons([...own, ...pythonCommands(env)], { env, program, signal: ctx.signal }),
    probeTools(env, ctx.signal),
    freePort().catch(() => null),
  ]);
  // What the signal cut short would read as a machine without tools.
  ctx.signal.throwIfAborted();
  const facts: DoctorFacts = {
    machine,
    accelerator: acceleratorOf(machine, env),
    pythons,
    tools,
    disk: probeDisk(ctx.home),
    freePort: port,
    ...(await probeStacks(ctx, machine)),
  };
  return { ...diagnose(facts), facts };
}

function absolute(cwd: string, command: string): string {
  return isAbsolute(command) || !command.includes('/') ? command : resolve(cwd, command);
}

async function probeTools(env: Context['env'], signal: AbortSignal): Promise<Record<ToolName, ToolFacts>> {
  const entries = toolNames.map(async (name) => [name, await probeTool(name, env, signal)] as const);
  return Object.fromEntries(await Promise.all(entries)) as Record<ToolName, ToolFacts>;
}

/** One by one: a damaged stack must not hide the others. */
async function probeStacks(
  ctx: Context,
  machine: MachineFacts,
): Promise<Pick<DoctorFacts, 'stacks' | 'stackProblems'>> {
  const names = (await readdir(join(ctx.home, 'stacks')).catch(() => [])).sort();
  const stacks: DoctorFacts['stacks'][number][] = [];
  const stackProblems: string[] = [];
  for (const name of names) {
    try {
      const lock = await loadStack(ctx.home, name);
      if (lock === undefined) stackProblems.push(`${name}: not ready, an install is at work or did not end`);
      else {
        const current = isCurrent(lock, machine, acceleratorOf(machine, ctx.env));
        const { torch, deepspeed, accelerator } = lock;
        stacks.push({
          name,
          torch: torch.version,
          deepspeed: deepspeed.version,
          accelerator,
          isCurrent: current,
        });
      }
    } catch (error) {
      if (!(error instanceof SuperOffloadError)) throw error;
      stackProblems.push(error.message);
    }
  }
  return { stacks, stackProblems };
}
