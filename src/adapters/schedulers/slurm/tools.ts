import { parseSacct, sacctFormat } from '../../../core/slurm/parse-accounting.ts';
import { parseScontrol, parseSqueue, squeueFormat } from '../../../core/slurm/parse-controller.ts';
import { parsePartitions, type Partition } from '../../../core/slurm/partition.ts';
import { isUnreachable, parseSbatch, type Submission } from '../../../core/slurm/parse-sbatch.ts';
import { askingEnvironment } from '../../../core/slurm/environment.ts';
import { wholeJob, type JobFacts } from '../../../core/slurm/job-facts.ts';
import { capture, startDetached, type CommandResult } from '../../exec.ts';

/** A tool of Slurm's answered, or why not. */
export type Answer<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      /** The controller or the database did not answer: asking again later may help. */
      readonly isUnreachable: boolean;
      /** The program is not there. */
      readonly isMissing: boolean;
      /** Its own words. */
      readonly said: string;
    };

/** Whose cluster is asked, and with which environment. */
export interface SlurmAccess {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** A cluster of several (`--clusters`); null is the one of slurm.conf. */
  readonly cluster: string | null;
  readonly signal?: AbortSignal;
}

/** Slurm's tools try again by themselves for some seconds; scancel gives up after 9 (22.05). */
const timeoutMs = 60_000;

async function ask(access: SlurmAccess, tool: string, words: readonly string[]): Promise<CommandResult> {
  const cluster = access.cluster === null ? [] : [`--clusters=${access.cluster}`];
  return capture([tool, ...cluster, ...words], {
    env: askingEnvironment(access.env),
    timeoutMs,
    ...(access.signal === undefined ? {} : { signal: access.signal }),
  });
}

function failure({ stdout, stderr, startError, timedOut }: CommandResult): Answer<never> {
  const said = [stderr, stdout, startError ?? ''].find((text) => text.trim() !== '')?.trim() ?? '';
  const isMissing = startError?.includes('ENOENT') ?? false;
  return {
    ok: false,
    isUnreachable: timedOut || isUnreachable(said),
    isMissing,
    said: timedOut ? `no answer within ${timeoutMs / 1000} s` : said,
  };
}

/**
 * What the controller knows of jobs: one call for all of them. A job that it has forgotten (after MinJobAge) is not in
 * the answer; of one job alone it says "Invalid job id specified", of several nothing (22.05, 24.11).
 */
export async function askController(
  access: SlurmAccess,
  jobIds: readonly string[],
): Promise<Answer<JobFacts[]>> {
  const ids = [...new Set(jobIds.map(wholeJob))].join(',');
  // Without -t all a job that has ended is as one that never was, and without -r an array's waiting tasks are one line.
  const words = ['--noheader', '--states=all', '--array', `--jobs=${ids}`, `--Format=${squeueFormat}`];
  const result = await ask(access, 'squeue', words);
  if (result.exitCode === 0) return { ok: true, value: parseSqueue(result.stdout) };
  return /Invalid job id/i.test(result.stderr) ? { ok: true, value: [] } : failure(result);
}

/** What the database knows of jobs: nothing of an unknown one, status 0. */
export async function askAccounting(
  access: SlurmAccess,
  jobIds: readonly string[],
): Promise<Answer<JobFacts[]>> {
  const ids = [...new Set(jobIds.map(wholeJob))].join(',');
  return accounting(access, [`--jobs=${ids}`]);
}

async function accounting(access: SlurmAccess, words: readonly string[]): Promise<Answer<JobFacts[]>> {
  const form = ['--noheader', '--parsable2', '--allocations', `--format=${sacctFormat}`];
  const result = await ask(access, 'sacct', [...form, ...words]);
  return result.exitCode === 0 ? { ok: true, value: parseSacct(result.stdout) } : failure(result);
}

/**
 * The job of this name, wherever it is still known: what a tool left that was killed between sbatch and its journal.
 * @param sinceUtc how far back the database is searched
 * @returns the newest one; null where nobody knows one
 */
export async function findByName(
  access: SlurmAccess,
  name: string,
  sinceUtc: string,
): Promise<Answer<JobFacts | null>> {
  const words = ['--noheader', '--states=all', '--array', `--name=${name}`, `--Format=${squeueFormat}`];
  const result = await ask(access, 'squeue', words);
  if (result.exitCode !== 0) return failure(result);
  const found = newest(parseSqueue(result.stdout), name);
  if (found !== null) return { ok: true, value: found };
  // The database takes local times and is not everywhere.
  const past = await accounting(access, [`--name=${name}`, `--starttime=${localTime(sinceUtc)}`]);
  return { ok: true, value: past.ok ? newest(past.value, name) : null };
}

function newest(jobs: readonly JobFacts[], name: string): JobFacts | null {
  const ofName = jobs.filter((job) => job.name === name);
  return ofName.sort((a, b) => Number(wholeJob(b.jobId)) - Number(wholeJob(a.jobId)))[0] ?? null;
}

/** A day earlier: whatever the zones of the two machines are, it is early enough. */
function localTime(utc: string): string {
  return new Date(Date.parse(utc) - 86_400_000).toISOString().slice(0, 19);
}

/** One job in full, which the controller must still know. */
export async function showJob(access: SlurmAccess, jobId: string): Promise<Answer<JobFacts | null>> {
  const result = await ask(access, 'scontrol', ['--oneliner', 'show', 'job', jobId]);
  if (result.exitCode === 0) return { ok: true, value: parseScontrol(result.stdout)[0] ?? null };
  return /Invalid job id/i.test(result.stderr) ? { ok: true, value: null } : failure(result);
}

/** All partitions that this user is shown. */
export async function showPartitions(access: SlurmAccess): Promise<Answer<Partition[]>> {
  const result = await ask(access, 'scontrol', ['--all', '--oneliner', 'show', 'partition']);
  return result.exitCode === 0 ? { ok: true, value: parsePartitions(result.stdout) } : failure(result);
}

/** A number of slurm.conf, such as MaxArraySize. */
export async function configuredNumber(access: SlurmAccess, name: string): Promise<Answer<number | null>> {
  const result = await ask(access, 'scontrol', ['show', 'config']);
  if (result.exitCode !== 0) return failure(result);
  const value = new RegExp(`^${name}\\s*=\\s*(\\d+)`, 'm').exec(result.stdout)?.[1];
  return { ok: true, value: value === undefined ? null : Number(value) };
}

/** Whether the controller answers; its own words where not. */
export async function pingController(access: SlurmAccess): Promise<Answer<string>> {
  const result = await ask(access, 'scontrol', ['ping']);
  return result.exitCode === 0 ? { ok: true, value: result.stdout.trim() } : failure(result);
}

/**
 * Ends a job (`12`, `12_3`, a step `12.4`). One that is unknown or has ended is no error (scancel says nothing then).
 * @param name where the job has another one it is let alone: a controller that lost its state gives ids a second time
 */
export async function cancelJob(
  access: SlurmAccess,
  jobId: string,
  name: string | null,
): Promise<Answer<null>> {
  return cancel(access, [...(name === null ? [] : [`--name=${name}`]), jobId]);
}

/** Ends all jobs of a name, which are this user's; none is no error. */
export async function cancelByName(access: SlurmAccess, name: string): Promise<Answer<null>> {
  return cancel(access, [`--name=${name}`]);
}

async function cancel(access: SlurmAccess, words: readonly string[]): Promise<Answer<null>> {
  const result = await ask(access, 'scancel', words);
  if (result.exitCode === 0) return { ok: true, value: null };
  return /Invalid job id|already completing|already completed/i.test(result.stderr)
    ? { ok: true, value: null }
    : failure(result);
}

/** Ends the steps of this name in an allocation; none is no error. */
export async function cancelSteps(access: SlurmAccess, jobId: string, name: string): Promise<Answer<null>> {
  const words = ['--noheader', '--steps', `--jobs=${jobId}`, '--Format=StepID:|,StepName:|'];
  const result = await ask(access, 'squeue', words);
  if (result.exitCode !== 0) return failure(result);
  const steps = result.stdout.split('\n').flatMap((line) => {
    const [stepId = '', stepName] = line.split('|');
    return stepName === name ? [stepId] : [];
  });
  return steps.length === 0 ? { ok: true, value: null } : cancel(access, steps);
}

/**
 * The same without waiting for anything: what is called in a signal's own event, after which this program may end at
 * once. The process is there when this returns.
 */
export function cancelStepsUnwatched({ env }: SlurmAccess, jobId: string, name: string): void {
  const script =
    `squeue --noheader --steps --jobs="$1" --Format='StepID:|,StepName:|' | ` +
    `awk -F'|' -v name="$2" '$2 == name { print $1 }' | xargs -r scancel`;
  const words = ['/bin/sh', '-c', script, 'superoffload', jobId, name];
  void startDetached(words, { env: askingEnvironment(env), cwd: '/' }).catch(() => undefined);
}

export interface SbatchRequest {
  /** Path of the script. */
  readonly script: string;
  /** Where the job runs and where it writes (its own `%` patterns are not for paths of ours). */
  readonly folder: string;
  readonly output: string;
  /** All of the environment that sbatch and the job have. */
  readonly env: Readonly<Record<string, string>>;
  readonly cluster: string | null;
  /** Further words, such as `--array=0-9%2`. */
  readonly words?: readonly string[];
}

/**
 * Hands a script to Slurm.
 * @param signal ends sbatch, whose job may have arrived all the same: {@link cancelByName}
 * @returns the job; the words of sbatch where it refuses.
 */
export async function submitJob(request: SbatchRequest, signal?: AbortSignal): Promise<Answer<Submission>> {
  const result = await capture(['sbatch', '--parsable', ...sbatchWords(request)], {
    env: request.env,
    cwd: request.folder,
    timeoutMs: 2 * timeoutMs,
    ...(signal === undefined ? {} : { signal }),
  });
  const submission = result.exitCode === 0 ? parseSbatch(result.stdout) : undefined;
  return submission === undefined ? failure(result) : { ok: true, value: submission };
}

/** Asks whether Slurm would take a script. It answers on stderr and uses up a job id. */
export async function testJob(request: SbatchRequest, signal: AbortSignal): Promise<Answer<null>> {
  const result = await capture(['sbatch', '--test-only', ...sbatchWords(request)], {
    env: request.env,
    cwd: request.folder,
    timeoutMs,
    signal,
  });
  return result.exitCode === 0 ? { ok: true, value: null } : failure(result);
}

/** The command line has the last word: no SBATCH_ variable and no line of the script is above it. */
function sbatchWords({ script, folder, output, cluster, words = [] }: SbatchRequest): string[] {
  return [
    ...(cluster === null ? [] : [`--clusters=${cluster}`]),
    `--chdir=${folder}`,
    `--output=${safeOutput(output)}`,
    ...words,
    script,
  ];
}

/**
 * Slurm expands `%j` and the like all over the path, and 22.05 makes `%12` of `%%j` in it; a backslash switches that
 * off or not. The script appends to the log itself, so that only Slurm's own last words are lost there.
 */
function safeOutput(path: string): string {
  return /[%\\]/.test(path.replace(/%a(?=\.log$)/, '')) ? '/dev/null' : path;
}
