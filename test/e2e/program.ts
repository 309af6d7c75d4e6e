import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect } from 'vitest';
import type { RunRecord } from '../../src/core/results/record.ts';

/** The built program, as a user starts it. */
export const program = join(import.meta.dirname, '..', '..', 'dist', 'main.js');

export interface ProgramEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

export interface StartOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that runs: what it said so far, and how it ends. */
export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly stderr: () => string;
  readonly ended: Promise<ProgramEnd>;
}

/** A folder to stand in with a state folder of its own; removed after the tests of the file. */
export interface Sandbox {
  readonly cwd: string;
  readonly home: string;
  /** Runs the program to its end. Whatever happens, it must not look like a bug: no stack is ever shown. */
  readonly run: (argv: readonly string[], options?: StartOptions) => Promise<ProgramEnd>;
  readonly start: (argv: readonly string[], options?: StartOptions) => Running;
  /** The newest run's record, as `runs show last --json` prints it. */
  readonly lastRecord: () => Promise<RunRecord>;
}

// Once a test file, when it imports this: a hook that is registered inside a test never runs.
const sandboxes: string[] = [];
afterAll(() => {
  for (const folder of sandboxes) rmSync(folder, { recursive: true, force: true });
});

/** @param stateFolder name of the state folder in the sandbox, or an absolute path */
export function createSandbox(stateFolder = '.superoffload'): Sandbox {
  const cwd = realpathSync(mkdtempSync(join(tmpdir(), 'superoffload-e2e-')));
  sandboxes.push(cwd);
  const home = stateFolder.startsWith('/') ? stateFolder : join(cwd, stateFolder);
  mkdirSync(home, { recursive: true });
  const start = (argv: readonly string[], options: StartOptions = {}): Running =>
    startProgram(process.execPath, [program, ...argv], {
      cwd: options.cwd ?? cwd,
      env: { SUPEROFFLOAD_HOME: home, ...options.env },
    });
  const run = async (argv: readonly string[], options?: StartOptions): Promise<ProgramEnd> => {
    const end = await start(argv, options).ended;
    expectNoStack(end);
    return end;
  };
  const lastRecord = async (): Promise<RunRecord> => {
    const { code, stdout, stderr } = await run(['runs', 'show', 'last', '--json']);
    expect(code, stderr).toBe(0);
    return JSON.parse(stdout) as RunRecord;
  };
  return { cwd, home, run, start, lastRecord };
}

/** Starts any command with the test's environment, less what vitest put there. */
export function startProgram(
  file: string,
  argv: readonly string[],
  options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> },
): Running {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(VITEST|NODE_OPTIONS|NODE_ENV|TEST$)/.test(name),
  );
  const started = performance.now();
  const child = spawn(file, argv, {
    cwd: options.cwd,
    env: { ...Object.fromEntries(inherited), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<ProgramEnd>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr, elapsedMs: performance.now() - started });
    });
  });
  if (child.pid === undefined) throw new Error(`${file} does not start`);
  return { child, pid: child.pid, stderr: () => stderr, ended };
}

/** An expected failure shows a message; a stack, or the word "bug", means that it was not expected. */
export function expectNoStack({ stdout, stderr }: Pick<ProgramEnd, 'stdout' | 'stderr'>): void {
  expect(`${stdout}${stderr}`).not.toMatch(/^ +at .*\(?(node:|file:|\/).*:\d+\)?$/m);
  expect(stderr).not.toContain('this is a bug');
}

/** Waits until something holds; fails after `withinMs` with what was waited for. */
export async function until(what: string, holds: () => boolean, withinMs = 5_000): Promise<void> {
  const end = Date.now() + withinMs;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`waited ${withinMs} ms in vain until ${what}`);
    await sleep(20);
  }
}

/** The id of the run that a program says it has started. */
export async function startedRun(running: Running): Promise<string> {
  const pattern = /\((\d{8}T\d{6}Z-\S+-[0-9a-f]{4})\)/;
  await until('a run starts', () => pattern.test(running.stderr()));
  return pattern.exec(running.stderr())?.[1] ?? '';
}

/** Whether the log of a run tells of this step: progress on stderr does not tell every one. */
export function hasStep(home: string, runId: string, iteration: number): boolean {
  const log = join(home, 'runs', runId, 'output.log');
  return existsSync(log) && readFileSync(log, 'utf8').includes(`iteration ${String(iteration).padStart(8)}/`);
}

export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return false;
  }
}
