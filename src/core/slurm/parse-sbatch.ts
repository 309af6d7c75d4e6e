/** What `sbatch --parsable` said: `12`, or `12;cluster` with --clusters. */
export interface Submission {
  readonly jobId: string;
  readonly cluster: string | null;
}

/** @returns undefined where no line is one; a site's own lines around it are passed over. */
export function parseSbatch(text: string): Submission | undefined {
  for (const line of text.split('\n').reverse()) {
    const match = /^(\d+)(?:;(\S+))?$/.exec(line.trim());
    if (match?.[1] !== undefined) return { jobId: match[1], cluster: match[2] ?? null };
  }
  return undefined;
}

/** `salloc: Pending job allocation 12`, `salloc: Granted job allocation 12`. */
export function parseSalloc(line: string): { jobId: string } | undefined {
  const jobId = /(?:Pending|Granted) job allocation (\d+)/.exec(line)?.[1];
  return jobId === undefined ? undefined : { jobId };
}

/** Why Slurm would not have a job, in one of its own words and in ours. */
export interface Refusal {
  readonly problem: string;
  readonly expected?: string;
  /** It may take the job later as it is. */
  readonly isTransient: boolean;
}

/** What sbatch writes to stderr, to what it means: 22.05 and 24.11 say the same. */
const refusals: readonly (readonly [RegExp, string, string?])[] = [
  [
    /invalid partition specified: ?(\S*)|Invalid partition name/i,
    'there is no such partition',
    '--partition with a name that `sinfo` shows',
  ],
  [
    /Invalid --time specification|Invalid time limit/i,
    'the time limit cannot be read',
    '--time as minutes, HH:MM:SS or D-HH:MM:SS',
  ],
  [
    /Requested time limit is invalid|PartitionTimeLimit|time limit exceeds/i,
    "the time limit is over the partition's",
    'a shorter --time, or another --partition',
  ],
  [
    /Node count specification invalid|More processors requested than permitted|PartitionNodeLimit/i,
    'the partition gives no run as many nodes',
    'fewer --chips, or another --partition',
  ],
  [
    /Requested node configuration is not available|PartitionConfig/i,
    'no node of the partition has what a run asks for (nodes, GPUs, cores or memory)',
    'fewer --chips, another --partition, or other --slurm options',
  ],
  [
    /Invalid account|account\/partition combination|InvalidAccount/i,
    'the account may not be used',
    '--account with one of yours',
  ],
  [/Invalid qos/i, 'there is no such quality of service for you', '--qos with one of yours'],
  [
    /Requested reservation is invalid|Invalid reservation/i,
    'there is no such reservation',
    '--reservation with a name that `scontrol show reservation` shows',
  ],
  [
    /Invalid feature specification/i,
    'no node has these features',
    '--constraint with features that `sinfo -o %f` shows',
  ],
  [
    /Invalid node name specified/i,
    'there is no such node',
    '--nodelist or --exclude with names that `sinfo -N` shows',
  ],
  [
    /Invalid generic resource|Invalid Trackable RESource/i,
    'the cluster does not know these resources',
    '--slurm gres=... as the cluster names them',
  ],
  [
    /Job violates accounting\/QOS policy|Job size\/time limits?|user's size and\/or time limits/i,
    'a limit of your account or quality of service forbids it',
  ],
  [/Invalid job array specification/i, 'the array is larger than the cluster allows'],
  [
    /unrecognized option|invalid option|Invalid directive/i,
    'sbatch does not know an option',
    '--slurm NAME=VALUE as in sbatch(1)',
  ],
  [/Memory specification can not be satisfied/i, 'no node has as much memory', 'a smaller --slurm mem=...'],
];

const unreachable =
  /Unable to contact slurm controller|Socket timed out|Connection refused|Zero Bytes were transmitted|slurm_persist_conn|Communication connection failure|Transport endpoint/i;

/** Whether a tool of Slurm failed because the controller or the database did not answer. */
export function isUnreachable(stderr: string): boolean {
  return unreachable.test(stderr);
}

/** Reads the stderr of an sbatch that failed. */
export function parseRefusal(stderr: string): Refusal {
  const said = stderr
    .split('\n')
    .map((line) => line.replace(/^sbatch: (?:error: )?/, '').trim())
    .filter((line) => line !== '' && !/^Batch job submission failed: Unspecified/.test(line));
  const words = said.join('; ');
  const known = refusals.find(([pattern]) => pattern.test(words));
  const text = words === '' ? 'sbatch gave no reason' : words;
  if (known === undefined)
    return { problem: `Slurm refuses it: ${text}`, isTransient: isUnreachable(stderr) };
  const [, problem, expected] = known;
  return {
    problem: `${problem} (Slurm: ${text})`,
    ...(expected === undefined ? {} : { expected }),
    isTransient: false,
  };
}
