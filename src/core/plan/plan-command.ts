import type { System } from '../experiment/case.ts';
import { redactCommand } from '../results/redact.ts';
import { defaultLimits, type RunLimits, type RunPlan } from './run-plan.ts';

export interface CommandInputs {
  readonly command: readonly string[];
  readonly system: System;
  readonly chips: number;
  /** The folder the user stands in: the command runs there. */
  readonly cwd: string;
  readonly limits: Partial<RunLimits>;
}

/** A command of the user's that prints a known log format: no DeepSpeed JSON, no model assumed. */
export function planCommand(inputs: CommandInputs): RunPlan {
  const name = commandName(inputs.command);
  return {
    schemaVersion: 1,
    experiment: 'throughput',
    caseId: `throughput-command-${name}`,
    title: titleOf(inputs.command),
    workload: 'command',
    case: null,
    system: inputs.system,
    functional: inputs.system.accelerator === 'cpu',
    stack: null,
    worldSize: inputs.chips,
    command: inputs.command,
    env: {},
    unset: [],
    port: null,
    cwd: inputs.cwd,
    files: {},
    steps: null,
    // Nothing of ours can ask it to stop early: it runs to its own end.
    maxError: null,
    // How often it logs, evaluates or saves is its own affair: silence is no hang unless the user says from when.
    limits: { ...defaultLimits, firstStepMs: null, minStallMs: null, ...inputs.limits },
    warnings: [],
  };
}

/** One line of a table: a script given with `sh -c` may have thousands of characters. The plan keeps all of them.
 * A table goes to other people: secrets are left out of it. */
function titleOf(command: readonly string[]): string {
  const line = redactCommand(command).join(' ').replaceAll(/\s+/g, ' ');
  return `command: ${line.length > 60 ? `${line.slice(0, 57)}...` : line}`;
}

function commandName(command: readonly string[]): string {
  const words = command.map((word) => word.split('/').at(-1) ?? '');
  const script = words.find((word) => /\.(py|sh|js)$/.test(word)) ?? words[0] ?? '';
  return script.replace(/[^A-Za-z0-9._-]/g, '_').slice(0, 40) || 'unnamed';
}
