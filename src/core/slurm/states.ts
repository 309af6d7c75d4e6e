/** What Slurm's states and reasons mean for a run (job_state and job_reason codes, squeue(1)). */
import type { SchedulerVerdict } from '../logs/events.ts';
import type { JobFacts } from './job-facts.ts';

export type JobPhase = 'pending' | 'running' | 'ended';

const pendingStates = new Set([
  'PENDING',
  'CONFIGURING',
  'REQUEUED',
  'REQUEUE_FED',
  'REQUEUE_HOLD',
  'RESV_DEL_HOLD',
  'SPECIAL_EXIT',
  'POWER_UP_NODE',
]);

const endedStates = new Set([
  'BOOT_FAIL',
  'CANCELLED',
  'COMPLETED',
  'DEADLINE',
  'FAILED',
  'LAUNCH_FAILED',
  'NODE_FAIL',
  'OUT_OF_MEMORY',
  'PREEMPTED',
  'RECONFIG_FAIL',
  'REVOKED',
  'TIMEOUT',
]);

/** A state that nobody knows yet counts as running: nothing is done about it. */
export function phaseOf({ state }: Pick<JobFacts, 'state'>): JobPhase {
  if (pendingStates.has(state)) return 'pending';
  return endedStates.has(state) ? 'ended' : 'running';
}

/** Reasons that no waiting mends, and what each means. */
const hopeless: readonly (readonly [RegExp, string])[] = [
  [/^DependencyNeverSatisfied$/, 'the job that it depends on can no longer end as asked'],
  [/^PartitionConfig$/, 'no set of nodes of the partition has what it asks for'],
  [/^PartitionNodeLimit$/, 'it asks for more nodes than the partition has, or gives to a job'],
  [/^PartitionTimeLimit$/, "its time limit is over the partition's"],
  [/^BadConstraints$/, 'no node has what it asks for'],
  [
    /^(?:InvalidAccount|InvalidQOS|AccountNotAllowed|QOSNotAllowed)$/,
    'the account or quality of service may not be used here',
  ],
  [/^ReservationDeleted$/, 'its reservation was deleted'],
  [/^DeadLine$/, 'it can no longer end before its deadline'],
  [
    /^(?:QOS|Assoc)Max\w*(?:PerJob|PerJobLimit|DurationPerJobLimit)$/,
    'it asks for more than your account or quality of service gives to one job',
  ],
  [/^QOSMin\w+$/, 'it asks for less than the quality of service demands of a job'],
  [/^JobHoldMaxRequeue$/, 'it failed to start so often that Slurm holds it'],
  [/^launch[ _]failed[ _]requeued[ _]held$/i, 'it could not be launched, and Slurm holds it'],
  [
    /^user[ _]env[ _]retrieval[ _]failed[ _]requeued[ _]held$/i,
    'its environment could not be made, and Slurm holds it',
  ],
];

/**
 * Why a pending job will wait for ever.
 * @returns undefined where waiting may help: a full cluster, a held job that somebody can release
 */
export function hopelessReason({ state, reason }: Pick<JobFacts, 'state' | 'reason'>): string | undefined {
  if (!pendingStates.has(state) || reason === null) return undefined;
  return hopeless.find(([pattern]) => pattern.test(reason))?.[1];
}

/** What to do about a reason of {@link hopelessReason}. */
export function hopelessHint(reason: string | null): string {
  if (/^Dependency/.test(reason ?? ''))
    return 'leave its dependency out, or name a job that can still end so: --slurm dependency=afterok:JOBID';
  if (/held$|^JobHoldMaxRequeue$/i.test(reason ?? ''))
    return 'what failed on the nodes is known to the administrators; another set of them: --partition, --exclude';
  return 'ask for what this cluster gives: --partition, --time, --account, --qos, --slurm KEY=VALUE, fewer --chips';
}

const unseenHint =
  'keep the state folder on a file system that the nodes see at the same path: SUPEROFFLOAD_HOME=/shared/...';

/** Slurm's own signal for "the script could not be started": not one of the kernel's. */
const launchSignal = 53;

/**
 * What the end of a job says about its run.
 * @param ranAtAll whether the job's script was seen to begin (core/slurm/job-journal.ts)
 * @returns null where Slurm has nothing to say that the ranks did not
 */
export function verdictOf(facts: JobFacts, ranAtAll: boolean): SchedulerVerdict | null {
  const kind = isDependencyLost(facts) ? 'launch_error' : verdictClass(facts, ranAtAll);
  if (kind === null) return null;
  const by = facts.cancelledBy === null ? '' : ` by user ${facts.cancelledBy}`;
  const why = facts.reason === null ? '' : ` (${facts.reason})`;
  const reason = `Slurm job ${facts.jobId}: ${facts.state}${by}${why}`;
  if (isDependencyLost(facts)) return { class: kind, reason, hint: hopelessHint(facts.reason) };
  if (kind !== 'launch_error' || facts.state !== 'FAILED') return { class: kind, reason };
  const question = 'the script did not begin; is the run folder on a file system that the nodes see?';
  return { class: kind, reason: `${reason}: ${question}`, hint: unseenHint };
}

/** Slurm itself cancels one whose dependency failed (kill_invalid_depend): nobody stopped it. */
function isDependencyLost({ state, reason }: JobFacts): boolean {
  return state === 'CANCELLED' && reason === 'DependencyNeverSatisfied';
}

function verdictClass({ state, exit }: JobFacts, ranAtAll: boolean): SchedulerVerdict['class'] | null {
  switch (state) {
    case 'TIMEOUT':
    case 'DEADLINE':
      return 'time_limit';
    case 'PREEMPTED':
      return 'preempted';
    case 'NODE_FAIL':
    case 'BOOT_FAIL':
      return 'node_fail';
    case 'OUT_OF_MEMORY':
      return 'host_oom';
    case 'CANCELLED':
    case 'REVOKED':
      return 'cancelled';
    case 'LAUNCH_FAILED':
    case 'RECONFIG_FAIL':
      return 'launch_error';
    case 'FAILED':
      // A script that kills itself has Slurm's reason for a failed launch too: only its own journal tells.
      return !ranAtAll || exit?.signal === launchSignal ? 'launch_error' : null;
    default:
      return null;
  }
}
