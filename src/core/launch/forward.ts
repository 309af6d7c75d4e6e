import { quoteWord } from './quote.ts';

/**
 * Variables of the caller's that go along to hosts: of communication, threads and caches. DeepSpeed's launcher takes
 * those with MLFLOW, PYTHON, MV2, UCX, NCCL and LD_LIBRARY at their start (launcher/runner.py 0.19.8); Python's are the
 * stack's own affair here (core/stack/environment.ts). What a run needs beyond that, the system file says in `env`.
 */
const forwarded =
  /^(?:NCCL|UCX|MV2|GLOO|FI|OFI|IBV|NVSHMEM|TORCH|PYTORCH|KMP|OMP|MKL|GOMP|HF|TRANSFORMERS|MLFLOW|DS|DEEPSPEED|MEGATRON|CUDA)_[A-Za-z0-9_]*$|^LD_LIBRARY_PATH$/;

/** This machine's choice of devices is not the hosts'. */
const ownMachine = new Set(['CUDA_VISIBLE_DEVICES', 'CUDA_DEVICE_ORDER', 'CUDA_HOME', 'CUDA_PATH']);

/** Whether a variable of the caller's goes along to other machines. */
export function isForwarded(name: string): boolean {
  return forwarded.test(name) && !ownMachine.has(name);
}

/** @returns shell lines that export them. */
export function forwardLines(env: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(env)
    .filter(([name, value]) => value !== undefined && isForwarded(name))
    .map(([name, value]) => `export ${name}=${quoteWord(value ?? '')}`)
    .join('\n');
}
