/** What check_optimizers.py says, case by case. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { runPython } from '../trainer/cases.ts';
import { patches } from './sources.ts';

/** A line of check_overlap.py: the overlap optimizer beside ZeRO-3's own after the same steps. */
export interface Overlap {
  readonly steps: number;
  readonly skipped: number;
  readonly different: number;
  readonly 'taken back': number;
  readonly redone: number;
  readonly loss: number;
  readonly norm: number;
  readonly weights: number;
  readonly moments: number;
  /** Weights beside those of a training that was never saved and loaded. */
  readonly unbroken: number;
  /** Loss scales, each once. */
  readonly scales: readonly number[];
}

/** Of check_loops.py: weights that are not the same, and by how much. */
export interface Loop {
  readonly different: number;
  readonly off: number;
  readonly registered: boolean;
  readonly plain: boolean;
}

/** Of check_host_offload.py: how many tensors differ from DeepSpeed's own after the same steps. */
export interface Host {
  readonly optimizer: string;
  readonly skipped: number;
  readonly 'expected skipped': number;
}

/** The cores of every thread of one rank. */
export interface Threads {
  readonly main: readonly number[];
  readonly autograd: readonly number[];
  readonly threads: readonly (readonly [string, string])[];
  readonly 'adam threads': number;
}

export interface Affinity {
  readonly cores: readonly number[];
  readonly all: readonly Threads[];
  readonly one?: readonly Threads[];
}

/** What a planted fault, or a process without one, said. */
export interface Fault {
  readonly step: number;
  readonly seconds: number;
  readonly error?: string;
  readonly different?: number;
}

const superoffload = 'deepspeed/runtime/superoffload';
const where = 'import importlib.util as u; print(u.find_spec("deepspeed").submodule_search_locations[0])';
const deepspeed = (await runPython(['-c', where])).stdout.trim();
const isOfNow = ['host_memory.py', 'overlap/gradients.py', 'host_offload/optimizer.py'].every((name) => {
  const installed = join(deepspeed, '..', superoffload, name);
  const ours = join(patches, 'deepspeed/overlay', superoffload, name);
  return existsSync(installed) && readFileSync(installed).equals(readFileSync(ours));
});
export const missing = isOfNow ? null : 'the stack has not the patches of now: superoffload install';
export const why = missing === null ? '' : ` (skipped: ${missing})`;

/** What one process says of each of its cases, run when the first test asks. Cases: `name@steps`, or as the one before. */
export function checkProcess(before: readonly string[], cases: readonly string[]) {
  const run = async (): Promise<Map<string, unknown>> => {
    const end = await runPython([...before, join(import.meta.dirname, 'check_optimizers.py'), ...cases]);
    expect(end.code, end.stderr.slice(-4000)).toBe(0);
    const lines = end.stdout.split('\n').filter((line) => line.startsWith('RESULT '));
    expect(lines).toHaveLength(cases.length);
    return new Map(
      lines.map((line, i) => [
        (cases[i] ?? '').replace(/@.*/, ''),
        JSON.parse(line.slice('RESULT '.length)) as unknown,
      ]),
    );
  };
  let results: Promise<Map<string, unknown>> | undefined;
  return async <T>(name: string): Promise<T> => {
    const found = (await (results ??= run())).get(name);
    expect(found, name).toMatchObject({ case: name.replace(/^.*: /, '') });
    return found as T;
  };
}
