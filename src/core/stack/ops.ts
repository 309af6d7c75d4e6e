/** DeepSpeed's compiled ops: which ones a run needs, and which build of them is the right one. */
import type { CpuFacts } from '../machine/facts.ts';

export type OpName = 'cpu_adam' | 'deepspeed_shm_comm';

/**
 * The CPU optimizer is in every offload mode; gloo ranks on a CPU also use the shared-memory collectives. Nothing
 * for the GPU is compiled: what stays on the GPU is updated by torch's own AdamW.
 */
export function opsFor(accelerator: 'cuda' | 'cpu'): readonly OpName[] {
  return accelerator === 'cuda' ? ['cpu_adam'] : ['cpu_adam', 'deepspeed_shm_comm'];
}

export interface OpsKeyParts {
  readonly torch: string;
  readonly deepspeed: string;
  readonly python: string;
  readonly accelerator: 'cuda' | 'cpu';
  readonly cpu: Pick<CpuFacts, 'simd' | 'isa'>;
  /** First line of the compiler's --version. */
  readonly compiler: string;
  readonly ninja: string;
}

/**
 * Names the folder of a build. Everything that makes torch rebuild an op, or makes a built one wrong, is in it: the
 * flags are -march=native, so another CPU needs another build; another ninja or compiler rebuilds everything.
 */
export function opsKey(parts: OpsKeyParts): string {
  const compiler = /\d+\.\d+(\.\d+)?/.exec(parts.compiler)?.[0] ?? 'unknown';
  const words = [
    `torch${parts.torch}`,
    `deepspeed${parts.deepspeed}`,
    `py${parts.python.split('.').slice(0, 2).join('.')}`,
    parts.accelerator,
    parts.cpu.simd,
    parts.cpu.isa,
    `cxx${compiler}`,
    `ninja${parts.ninja}`,
  ];
  return words.join('-').replace(/[^\w.+-]/g, '_');
}

/** `cflags = ...` of the ninja file that torch writes beside an op. */
export function opFlags(ninjaFile: string): string | undefined {
  return /^cflags = (.*)$/m.exec(ninjaFile)?.[1]?.trim();
}

/**
 * A `ninja` that never builds: it lets `--version` through and asks the real one, without running anything, whether
 * there is work. An op that would be compiled again inside a run fails here instead, while it can be mended.
 */
export function ninjaThatRefusesWork(realNinja: string): string {
  const quoted = `'${realNinja.replaceAll("'", String.raw`'\''`)}'`;
  return `#!/bin/sh
if [ "$1" = --version ]; then exec ${quoted} --version; fi
plan=$(${quoted} -n "$@" 2>&1) || { echo "$plan" >&2; exit 97; }
case $plan in
  *"no work to do"*) echo "$plan" ;;
  *) echo "superoffload: this op would be compiled again inside a run: $plan" >&2; exit 97 ;;
esac
`;
}
