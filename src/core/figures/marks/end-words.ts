import type { OutcomeClass } from '../../logs/events.ts';

/** How a launch ended, in words that follow `1 of 3 launches gave no number:`. */
const words = {
  ok: 'ended well',
  gpu_oom: 'out of GPU memory',
  host_oom: 'out of host memory',
  shm_full: 'out of shared memory (/dev/shm)',
  nccl_timeout: 'a rank did not answer in time',
  hang: 'hung',
  nan_or_inf: 'its numbers became NaN or infinite',
  loss_scale_floor: 'gradients overflowed at the smallest loss scale',
  time_limit: 'ran into its time limit',
  preempted: 'preempted by the scheduler',
  node_fail: 'lost a node',
  interrupted: 'stopped by a person',
  cancelled: 'cancelled by a person',
  worker_dead: 'the optimizer process died',
  config_error: 'its configuration was refused',
  install_error: 'something is not installed',
  launch_error: 'could not be started',
  killed_unknown: 'killed, by whom is not known',
  crash: 'crashed',
  incomplete: 'its log just stops',
  unsupported: 'cannot run here',
} as const satisfies Record<OutcomeClass, string>;

/** @returns each end once, in the order given */
export function endsText(classes: readonly OutcomeClass[]): string {
  return [...new Set(classes)].map((name) => words[name]).join(', ');
}
