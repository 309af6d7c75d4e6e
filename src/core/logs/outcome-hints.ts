import type { Outcome, OutcomeClass } from './events.ts';
import type { Evidence } from './state.ts';

/** What to do next, one sentence for each class where something can be done. */
const hints: Partial<Record<OutcomeClass, string>> = {
  gpu_oom: 'use a smaller micro-batch, activation checkpointing, or a mode that offloads more',
  host_oom:
    'use a smaller model or fewer ranks a node, or raise the memory limit; pinned memory counts up to twice',
  shm_full: 'make /dev/shm larger (docker: --shm-size) or remove what other runs left there',
  nccl_timeout:
    'look at the ranks that did not report the timeout: one of them stopped or is slower by minutes',
  hang: 'the last lines of every rank say where it waits; py-spy dump --pid shows the frame',
  nan_or_inf: 'lower the learning rate, or use bf16 instead of fp16',
  loss_scale_floor: 'use bf16, or lower the learning rate',
  worker_dead:
    'the training script needs `if __name__ == "__main__":`, because the optimizer process imports it again',
  config_error: '`superoffload config` prints a JSON whose batch arithmetic holds',
  install_error: '`superoffload doctor` says what is missing',
  launch_error:
    'check that the program exists where it was started, and for several hosts the hostfile, ssh without a password, and the port',
  killed_unknown: 'the kernel log (dmesg) may name the OOM killer; a bare kill leaves nothing in the log',
  incomplete:
    'a log is read by its iteration lines and its end line (README.md, "Your own training script"); if the program still runs, try again later',
};

/**
 * @param hint in place of what helps others of the class
 * @returns an outcome with its hint; `evidence` is the line that proves it, if one does
 */
export function outcome(
  name: OutcomeClass,
  reason: string,
  evidence: Pick<Evidence, 'line' | 'rank'> | null = null,
  hint: string | null = hints[name] ?? null,
): Outcome {
  return {
    class: name,
    reason,
    evidence: evidence?.line ?? null,
    rank: evidence?.rank ?? null,
    hint,
  };
}
