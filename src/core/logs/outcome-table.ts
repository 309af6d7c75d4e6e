import type { OutcomeClass } from './events.ts';

export interface OutcomeProof {
  readonly class: OutcomeClass;
  /** What it takes to say so. */
  readonly proof: string;
  /** Files in test/fixtures/logs that are classified so, or why there is none yet. */
  readonly fixtures: readonly string[];
  /** True where no log has shown it yet. */
  readonly unproven?: string;
}

/** Every class, the proof that it needs, and the real logs that show it. A test runs all of them. */
export const outcomeTable: readonly OutcomeProof[] = [
  {
    class: 'ok',
    proof:
      'the planned or converged last iteration, a clean end, finite loss and exit 0: all four (of a log alone: the end line; of a foreign command: exit 0 at the last iteration its own log planned)',
    fixtures: [
      'megatron-f2c70ad-zero_offload-ok',
      'megatron-f2c70ad-patched-h200-prism-ok',
      'deepspeed-0.19.8-ok-two_ranks',
      'builtin-0.19.8-ok-one_rank',
      'builtin-0.19.8-h200-prism-2b-ok',
      'builtin-0.19.8-h200-zero_offload-2b-ok',
      'builtin-0.19.8-h200-zero_infinity-2b-ok',
      'builtin-0.19.8-h200-prism-1b-two_ranks-ok',
    ],
  },
  {
    class: 'gpu_oom',
    proof: 'CUDA out of memory, by the first rank that says so',
    fixtures: [
      'megatron-f2c70ad-zero_offload-gpu_oom-torchscript',
      'builtin-0.19.8-h200-zero_2-gpu_oom-batch_128',
    ],
  },
  {
    class: 'host_oom',
    proof:
      'a rising count of OOM kills, Slurm, SIGKILL with a peak at the limit, or a failing host allocation',
    fixtures: [
      'deepspeed-0.19.8-host_oom-cpu_allocator',
      'torch-2.11.0-host_oom-pinned',
      'slurm-host_oom',
      'builtin-0.19.8-overlap-host_oom-thread',
    ],
  },
  {
    class: 'shm_full',
    proof: 'SIGBUS with /dev/shm full, or a line that says so',
    fixtures: ['torch-shm_full-dataloader', 'deepspeed-0.19.8-shm_full-sigbus'],
  },
  {
    class: 'nccl_timeout',
    proof: "the watchdog's line, and no earlier failure of another rank",
    fixtures: ['nccl-2.20-nccl_timeout-watchdog'],
  },
  {
    class: 'hang',
    proof: "this tool's own stop after no new iteration",
    fixtures: [],
    unproven: 'no line of a log says it; the run loop provokes it with SIGSTOP',
  },
  {
    class: 'nan_or_inf',
    proof: 'a loss that is not finite',
    fixtures: ['builtin-0.19.8-nan_or_inf-learning_rate'],
  },
  {
    class: 'loss_scale_floor',
    proof: "DeepSpeed's exception, or three skipped steps in a row at loss scale 1",
    fixtures: ['deepspeed-0.9-loss_scale_floor-minimum'],
  },
  {
    class: 'time_limit',
    proof: "the scheduler's word, or this tool's --timeout",
    fixtures: ['slurm-time_limit'],
  },
  { class: 'preempted', proof: "the scheduler's word", fixtures: ['slurm-preempted'] },
  {
    class: 'node_fail',
    proof: "the scheduler's word",
    fixtures: [],
    unproven: 'no public log with the line was found; the wording is that of slurmstepd',
  },
  {
    class: 'interrupted',
    proof: "this tool's own record of the signal",
    fixtures: [],
    unproven: 'no line of a log says it',
  },
  {
    class: 'cancelled',
    proof: "this tool's own record of the request, or the scheduler's word",
    fixtures: ['slurm-cancelled'],
  },
  {
    class: 'worker_dead',
    proof:
      "SuperOffload's `Worker process is not alive` or its timeout, with the worker's own first error; the overlap optimizer's `the CPU optimizer failed` and its like",
    fixtures: [
      'deepspeed-0.19.8-worker_dead-no_main_guard',
      'builtin-0.19.8-overlap-worker_dead-failed',
      'builtin-0.19.8-overlap-worker_dead-stalled',
    ],
  },
  {
    class: 'config_error',
    proof: 'refused before the first iteration',
    fixtures: [
      'deepspeed-0.19.8-config_error-batch',
      'deepspeed-0.19.8-config_error-accumulation_0',
      'deepspeed-0.19.8-config_error-unknown_key',
      'deepspeed-0.19.8-config_error-two_dtypes',
      'deepspeed-0.19.8-config_error-json',
      'builtin-0.19.8-overlap-config_error-offload_param',
    ],
  },
  {
    class: 'install_error',
    proof: 'an import or a build fails before the first iteration',
    fixtures: ['deepspeed-0.19.8-install_error-import'],
  },
  {
    class: 'launch_error',
    proof: 'a refused ssh, a taken port, a missing script, or another world size than planned',
    fixtures: [
      'torch-2.15.0-launch_error-port',
      'python-3.11-launch_error-no_script',
      'pdsh-launch_error-ssh_refused',
    ],
  },
  {
    class: 'killed_unknown',
    proof: 'SIGKILL without memory evidence, or exit 0 before the iterations that this tool planned',
    fixtures: ['deepspeed-0.19.8-killed_unknown-sigkill', 'torchrun-2.15.0-killed_unknown-sigkill'],
  },
  {
    class: 'crash',
    proof: 'an exception, a signal or an exit status, and none of the above',
    fixtures: [
      'deepspeed-0.19.8-crash-exception',
      'deepspeed-0.19.8-crash-sigsegv',
      'deepspeed-0.19.8-crash-at_exit',
      'torchrun-2.15.0-crash-exception',
    ],
  },
  {
    class: 'incomplete',
    proof: 'a log that ends without an end line and without a failure',
    fixtures: ['builtin-0.19.8-incomplete-cut'],
  },
  {
    class: 'unsupported',
    proof: 'decided before anything is started',
    fixtures: [],
    unproven: 'no process, no log',
  },
];
