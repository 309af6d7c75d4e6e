import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import type { RunRecord } from '../../../src/core/results/record.ts';
import { Command } from '@commander-js/extra-typings';
import { CommanderError } from '@commander-js/extra-typings';
import { declare } from '../../../src/cli/commands/gate.ts';
import { exitCodeOf, exitCodes } from '../../../src/errors.ts';
import type { Context } from '../../../src/workflows/context.ts';
import { startProgram, type Running } from '../../e2e/program.ts';
import { sharedHome } from '../../real-stack.ts';

const packageRoot = join(import.meta.dirname, '..', '..', '..');
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

export interface GateEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with a state folder of its own, and `gate` in it. */
export interface GatePlace {
  readonly cwd: string;
  readonly home: string;
  /** As a process of its own. */
  readonly start: (argv: readonly string[], env?: Readonly<Record<string, string>>) => Running;
  /** Here: the command with its ports, as the program calls it. */
  readonly run: (argv: readonly string[], env?: Readonly<Record<string, string>>) => Promise<GateEnd>;
  /** Stores records as runs. */
  readonly store: (records: readonly RunRecord[]) => void;
}

export function gatePlace(): GatePlace {
  const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'gate-')));
  folders.push(cwd);
  const home = join(cwd, 'home');
  mkdirSync(join(home, 'runs'), { recursive: true });
  const tsx = import.meta.resolve('tsx');
  const start: GatePlace['start'] = (argv, env = {}) =>
    startProgram(process.execPath, ['--import', tsx, join(packageRoot, 'src', 'main.ts'), 'gate', ...argv], {
      cwd,
      env: { SUPEROFFLOAD_HOME: home, ...env },
    });
  return {
    cwd,
    home,
    start,
    run: (argv, env = {}) => runHere({ cwd, home }, argv, env),
    store: (records) => {
      for (const record of records) {
        const folder = join(home, 'runs', record.runId);
        mkdirSync(folder, { recursive: true });
        writeFileSync(join(folder, 'record.json'), JSON.stringify(record));
      }
    },
  };
}

async function runHere(
  { cwd, home }: Pick<GatePlace, 'cwd' | 'home'>,
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<GateEnd> {
  let code = 0;
  let stdout = '';
  let stderr = '';
  const never = new AbortController().signal;
  const context: Context = {
    ...{
      env: { ...process.env, ...env },
      cwd,
      home,
      packageRoot,
      signal: never,
      force: never,
      now: Date.now,
    },
    emit: (event) => (stderr += `${JSON.stringify(event)}\n`),
  };
  const program = new Command('superoffload').exitOverride().enablePositionalOptions();
  program.configureOutput({ writeErr: (text) => (stderr += text), writeOut: (text) => (stdout += text) });
  const command = new Command('gate').copyInheritedSettings(program);
  program.addCommand(command);
  const print = (text: string): void => void (stdout += text.endsWith('\n') ? text : `${text}\n`);
  declare(command, { context, print, exitWith: (given) => (code = given) });
  try {
    await program.parseAsync(['gate', ...argv], { from: 'user' });
  } catch (error) {
    code = error instanceof CommanderError ? exitCodes.usage : exitCodeOf(error);
    stderr += (error as Error).message;
    // What nobody foresaw is a fault of the test.
    if (code === 1) throw error;
  }
  return { code, stdout, stderr };
}

/** The installed stacks, seen from another state folder. */
export function linkStacks({ home }: GatePlace): void {
  symlinkSync(join(sharedHome, 'stacks'), join(home, 'stacks'));
}
