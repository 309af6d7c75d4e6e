import { join } from 'node:path';
import type { GpuFacts } from '../../core/machine/facts.ts';
import { parseNvccVersion } from '../../core/machine/nvcc.ts';
import { gpuQuery, parseGpus, processQuery } from '../../core/machine/nvidia-smi.ts';
import { findOnPath, isExecutable } from './search-path.ts';

type Env = Readonly<Record<string, string | undefined>>;

const timeoutMs = 20_000;

/** @returns the GPUs that CUDA_VISIBLE_DEVICES leaves, or why nvidia-smi gave no answer; no GPUs and no problem where there is no nvidia-smi. */
export async function probeGpus(
  env: Env,
  signal?: AbortSignal,
): Promise<{ gpus: readonly GpuFacts[]; problem: string | null }> {
  const tool = findOnPath('nvidia-smi', env);
  if (tool === undefined) return { gpus: [], problem: null };
  const { capture } = await import('../exec.ts');
  const options = { env, timeoutMs, ...(signal === undefined ? {} : { signal }) };
  const [gpus, processes] = await Promise.all([
    capture([tool, ...gpuQuery], options),
    capture([tool, ...processQuery], options),
  ]);
  if (gpus.exitCode !== 0) {
    const said = [gpus.startError, gpus.stderr, gpus.stdout].find((text) => text !== null && text !== '');
    return {
      gpus: [],
      problem: gpus.timedOut ? 'nvidia-smi does not answer' : (said ?? 'nvidia-smi failed').trim(),
    };
  }
  return { gpus: parseGpus(gpus.stdout, processes.stdout, env['CUDA_VISIBLE_DEVICES']), problem: null };
}

/** @returns the CUDA toolkit's compiler and version: $CUDA_HOME first, as torch looks for it. */
export async function probeCuda(
  env: Env,
  signal?: AbortSignal,
): Promise<{ nvcc: string | null; version: string | null }> {
  const roots = [env['CUDA_HOME'], env['CUDA_PATH'], '/usr/local/cuda'];
  const candidates = [
    ...roots.flatMap((root) => (root === undefined ? [] : [join(root, 'bin', 'nvcc')])),
    findOnPath('nvcc', env),
  ];
  const nvcc = candidates.find((path) => path !== undefined && isExecutable(path));
  if (nvcc === undefined) return { nvcc: null, version: null };
  const { capture } = await import('../exec.ts');
  const { stdout } = await capture([nvcc, '--version'], {
    env,
    timeoutMs,
    ...(signal === undefined ? {} : { signal }),
  });
  return { nvcc, version: parseNvccVersion(stdout) };
}
