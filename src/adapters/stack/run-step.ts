import { appendFileSync, existsSync } from 'node:fs';
import { rm, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describeStep } from '../../core/install/steps.ts';
import type { PlainStep, StepEnvironment } from '../../core/install/steps.ts';
import { capture } from '../exec.ts';
import { makeFolder, withFileErrors, writeTextAtomic } from '../files.ts';

export interface StepContext {
  readonly environments: Readonly<Record<StepEnvironment, Readonly<Record<string, string>>>>;
  readonly cwd: string;
  readonly log: string;
  readonly signal: AbortSignal;
  readonly onLine: (line: string) => void;
}

export interface StepResult {
  /** null when it worked; else how it failed. */
  readonly failure: string | null;
  readonly stdout: string;
  /** Newest lines of stdout and stderr. */
  readonly tail: readonly string[];
}

const tailLines = 15;

/** Does one step. A command that fails is a result; a file that cannot be written is an error. */
export async function runStep(step: PlainStep, context: StepContext): Promise<StepResult> {
  const worked: StepResult = { failure: null, stdout: '', tail: [] };
  switch (step.kind) {
    case 'command':
      return runCommand(step, context);
    case 'write':
      await writeTextAtomic(step.path, step.text, step.mode);
      return worked;
    case 'remove':
      await withFileErrors(step.path, () => rm(step.path, { recursive: true, force: true, maxRetries: 3 }));
      return worked;
    case 'link':
      if (existsSync(step.path)) return worked;
      await withFileErrors(step.path, async () => {
        await makeFolder(dirname(step.path));
        await symlink(step.target, step.path);
      });
      return worked;
  }
}

async function runCommand(
  step: Extract<PlainStep, { kind: 'command' }>,
  context: StepContext,
): Promise<StepResult> {
  const tail: string[] = [];
  const note = (line: string): void => {
    try {
      appendFileSync(context.log, `${line}\n`);
    } catch {
      // The log is a convenience: a full disk shows in the command itself.
    }
  };
  note(`$ ${describeStep(step)}`);
  const result = await capture(step.command, {
    env: { ...context.environments[step.environment], ...step.variables },
    cwd: step.cwd ?? context.cwd,
    signal: context.signal,
    onLine: (line) => {
      const text = line.trimEnd();
      if (text === '') return;
      note(text);
      tail.push(text);
      if (tail.length > tailLines) tail.shift();
      context.onLine(text);
    },
  });
  const failure =
    result.exitCode === 0
      ? null
      : (result.startError ??
        (result.signal === null ? `exit status ${result.exitCode ?? 'unknown'}` : result.signal));
  return { failure, stdout: result.stdout, tail };
}
