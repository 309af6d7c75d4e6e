import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realStack } from '../real-stack.ts';

/** One run of the trainer, or of the plain PyTorch reference: its arguments and DeepSpeed JSON. */
export interface TrainerCase {
  readonly name: string;
  /** Default: train.py. */
  readonly program?: 'train.py' | 'reference.py';
  readonly ranks: number;
  readonly argv: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  /** The name of an earlier run of train.py whose weights its own are compared with. */
  readonly like?: string;
}

/** What a run left: exit status of every rank, rank 0's output. */
export interface TrainerResult {
  readonly codes: readonly number[];
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
  /** Of a case that is like another: the largest difference between two weights after the last step. */
  readonly weightGap?: number;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const trainerEnvironment = { ...realStack.env, PYTHONDONTWRITEBYTECODE: '1' };

/** Runs Python in the shared stack; `onOutput` sees stdout as it has grown so far. */
export function runPython(
  argv: readonly string[],
  options: {
    readonly input?: string;
    readonly env?: Readonly<Record<string, string>>;
    readonly onOutput?: (stdout: string) => void;
  } = {},
): Promise<ProcessEnd> {
  const child = spawn(realStack.python, [...argv], {
    env: { ...trainerEnvironment, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    options.onOutput?.(stdout);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(options.input ?? '');
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stdout, stderr });
    });
  });
}

/** Runs all cases one after the other in one Python start (run_cases.py). */
export async function runCases(cases: readonly TrainerCase[]): Promise<ReadonlyMap<string, TrainerResult>> {
  const folder = mkdtempSync(join(tmpdir(), 'trainer-'));
  try {
    const input = cases.map(({ name, program = 'train.py', ranks, argv, config, like }) => {
      const file = join(folder, `${name}.json`);
      writeFileSync(file, JSON.stringify(config));
      return { name, program, ranks, argv: [...argv, '--deepspeed_config', file], like };
    });
    const script = join(import.meta.dirname, 'run_cases.py');
    const end = await runPython([script], { input: JSON.stringify(input) });
    if (end.code !== 0) throw new Error(`run_cases.py: exit ${String(end.code)}\n${end.stderr}`);
    return new Map(Object.entries(JSON.parse(end.stdout) as Record<string, TrainerResult>));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The value of a field in every line that has it, in order. */
export function fieldValues(log: string, name: string): string[] {
  const marker = `| ${name}: `;
  return log
    .split('\n')
    .filter((line) => line.includes(marker))
    .map((line) => line.split(marker)[1]?.split('|')[0]?.trim() ?? '');
}

export function losses(log: string): number[] {
  return fieldValues(log, 'lm loss').map(Number);
}
