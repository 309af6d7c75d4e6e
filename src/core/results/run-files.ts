/** Every path of a run folder, in one place. Names are relative to the folder. */
export const runFiles = {
  plan: 'plan.json',
  deepspeedConfig: 'ds_config.json',
  script: 'run.sh',
  env: 'env.json',
  events: 'events.ndjson',
  log: 'output.log',
  record: 'record.json',
  /** What happened within one step: `throughput --timeline` (experiment/trainer/timeline.py). */
  timeline: 'timeline.json',
  /** Its presence asks the trainer to end after the current step. */
  stop: 'stop',
  /** Its presence asks the tool that follows the run to end it (`runs cancel`). */
  cancel: 'cancel',
  /** What a node of several does: its report around the script. */
  nodeScript: 'node.sh',
  /** On a node of another CPU: its own build of the ops. */
  opsScript: 'ops.sh',
  /** One report a node, named after its rank: `nodes/0.ndjson`. */
  nodes: 'nodes',
  /** Starts `node.sh` on the hosts of a hostfile and waits for all of them. */
  hostsScript: 'hosts.sh',
  /** How each host ended, as its ssh saw it, in that order. */
  hosts: 'hosts.ndjson',
  jobScript: 'job.sbatch',
  /** What a job of Slurm says of itself: known without any controller. */
  jobEvents: 'job.ndjson',
  /** Of a job array, in the folder of its first run: its script, and a link for each task to the log of its run. */
  array: 'array',
  arrayScript: 'array.sbatch',
  /** torchrun's: what each rank printed, a folder for each attempt. */
  ranks: 'ranks',
  /** The lock of the stack that ran it: the stack itself may be installed anew since. */
  lock: 'lock.json',
} as const;

/**
 * The name of a run folder: sorts by time, says what ran, and two runs of one second differ by the suffix.
 * @param utc ISO time, for example `2026-01-02T03:04:05.678Z`
 * @param suffix four hexadecimal digits
 */
export function runIdOf(utc: string, caseId: string, suffix: string): string {
  const compact = utc.replace(/[-:]/g, '').replace(/\.\d+Z$/, 'Z');
  return `${compact}-${caseId}-${suffix}`;
}

const runIdPattern = /^\d{8}T\d{6}Z-[A-Za-z0-9._-]+-[0-9a-f]{4}$/;

/** Whether a name can be a run folder: other folders in `runs/` are left alone. */
export function isRunId(name: string): boolean {
  return runIdPattern.test(name);
}

/** The case that a run folder's name holds: what {@link runIdOf} was given. */
export function caseIdOfRun(runId: string): string {
  return runId.slice(runId.indexOf('Z-') + 2, -5);
}
