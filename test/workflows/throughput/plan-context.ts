import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { probeMachine } from '../../../src/adapters/probe/machine.ts';
import { stackPaths } from '../../../src/adapters/stack/store.ts';
import { requestOf } from '../../../src/cli/flags/case.ts';
import type { RunPlan } from '../../../src/core/plan/run-plan.ts';
import type { Context } from '../../../src/workflows/context.ts';
import {
  planThroughput,
  type ThroughputPlan,
  type ThroughputRequest,
} from '../../../src/workflows/throughput/plan-throughput.ts';

export const packageRoot = join(import.meta.dirname, '..', '..', '..');
const isa = (await probeMachine({})).cpu.isa;
/** A folder to stand in, new for each test. */
export let cwd: string;
beforeEach(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), 'superoffload plan ')));
});
afterEach(() => {
  rmSync(cwd, { recursive: true, force: true });
});

/** The lock of a stack that was made for a machine; its Python is any file, because nothing is started. */
export function installed(accelerator: 'cuda' | 'cpu', cpu = isa): void {
  const paths = stackPaths(join(cwd, 'home'), 'pip');
  mkdirSync(paths.ops, { recursive: true });
  const lock = {
    ...{ schemaVersion: 1, name: 'pip', origin: 'private', accelerator, hash: 'abc' },
    ...{ python: { path: process.execPath, version: '3.11.7' }, torch: { version: '2.15.0', cuda: null } },
    ...{ deepspeed: { version: '0.19.8' }, packages: {}, request: {}, pathPrefix: ['/venv/bin'] },
    ops: { directory: paths.ops, key: `torch2.15.0-${cpu}-cxx12`, compiler: 'c++', ninja: '1.13' },
    environment: { CXX: 'c++', ...(accelerator === 'cpu' ? { DS_ACCELERATOR: 'cpu' } : {}) },
  };
  writeFileSync(paths.lock, JSON.stringify(lock));
}

/** A stand-in for a tool that this machine does not have: four GPUs, or whatever else it is made to say. */
export function nvidiaSmi(script?: string): void {
  mkdirSync(join(cwd, 'bin'), { recursive: true });
  const gpus = [0, 1, 2, 3].map(
    (index) => `${index}, GPU-${index}, NVIDIA H200, 143771, 0, 9.0, 580.95.05, 1, 2, 3, 700, 700`,
  );
  const answer = `case $1 in *query-gpu*) printf '%s\\n' ${gpus.map((gpu) => `'${gpu}'`).join(' ')};; esac`;
  writeFileSync(join(cwd, 'bin', 'nvidia-smi'), `#!/bin/sh\n${script ?? answer}\n`);
  chmodSync(join(cwd, 'bin', 'nvidia-smi'), 0o755);
}

export const context = (env: Context['env'] = {}): Context => ({
  env: { PATH: `${join(cwd, 'bin')}:/usr/bin:/bin`, ...env },
  ...{ cwd, home: join(cwd, 'home'), packageRoot, emit: () => undefined, now: Date.now },
  ...{ signal: new AbortController().signal, force: new AbortController().signal },
});

const request = (
  flags: ThroughputRequest['flags'] = {},
  change: Partial<ThroughputRequest> = {},
): ThroughputRequest => ({
  ...requestOf({ chips: 1, system: 'local', stack: 'pip' }),
  flags: { chips: 1, models: ['tiny'], modes: ['zero_offload'], ...flags },
  ...change,
});

export const plan = (
  flags?: ThroughputRequest['flags'],
  change?: Partial<ThroughputRequest>,
  env?: Context['env'],
): Promise<ThroughputPlan> => planThroughput(context(env), request(flags, change));

export const only = ({ plans }: ThroughputPlan): RunPlan => plans[0]!;
export const json = (found: ThroughputPlan): Record<string, unknown> =>
  JSON.parse(only(found).files['ds_config.json'] ?? '') as Record<string, unknown>;
