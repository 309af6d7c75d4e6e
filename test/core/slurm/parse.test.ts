import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JobFacts } from '../../../src/core/slurm/job-facts.ts';
import { isSettled, parseSacct } from '../../../src/core/slurm/parse-accounting.ts';
import { parseScontrol, parseSqueue } from '../../../src/core/slurm/parse-controller.ts';
import { parsePartitions, partitionFault } from '../../../src/core/slurm/partition.ts';
import {
  isUnreachable,
  parseRefusal,
  parseSalloc,
  parseSbatch,
} from '../../../src/core/slurm/parse-sbatch.ts';
import { hopelessReason, phaseOf, verdictOf } from '../../../src/core/slurm/states.ts';

const versions = ['22.05', '24.11'] as const;

/** What the tools of a real cluster said. */
function recorded(name: string): string {
  return readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'slurm', `${name}.txt`), 'utf8');
}

function named(jobs: readonly JobFacts[], name: string): JobFacts {
  const job = jobs.find((each) => each.name === name);
  if (job === undefined) throw new Error(`no ${name}`);
  return job;
}

describe.each(versions)('the tools of Slurm %s', (version) => {
  const queue = parseSqueue(recorded(`${version}-squeue`));
  const accounts = parseSacct(recorded(`${version}-sacct`));

  it('say how jobs ended: a raw wait status, or status and signal (points 2, 16)', () => {
    expect(named(queue, 'exit143').exit).toEqual({ status: 143, signal: 0 });
    expect(named(queue, 'exit139').exit).toEqual({ status: 139, signal: 0 });
    expect(named(queue, 'kill9').exit).toEqual({ status: 0, signal: 9 });
    expect(named(queue, 'timeout')).toMatchObject({ state: 'TIMEOUT', exit: { signal: 15 } });
    // sacct takes 128 off.
    expect(named(accounts, 'exit143').exit).toEqual({ status: 15, signal: 0 });
    expect(named(accounts, 'exit139').exit).toEqual({ status: 11, signal: 0 });
  });

  it('name who cancelled, tasks of arrays, restarts (points 7, 15)', () => {
    expect(named(accounts, 'cancelled')).toMatchObject({ state: 'CANCELLED', cancelledBy: '0' });
    expect(queue.map(({ jobId }) => jobId).filter((id) => id.includes('_'))).not.toEqual([]);
    expect(named(queue, 'gpus').restarts).toBe(1);
    // Waiting tasks that stand together are no task.
    expect(accounts.filter(({ jobId }) => jobId.includes('['))).toEqual([]);
  });

  it('are understood alike: phases and verdicts', () => {
    const verdict = (name: string) => verdictOf(named(accounts, name), true)?.class ?? null;
    expect(verdict('timeout')).toBe('time_limit');
    expect(verdict('low')).toBe('preempted');
    expect(verdict('nodedown')).toBe('node_fail');
    expect(verdict('cancelled')).toBe('cancelled');
    expect(verdict('exit143')).toBeNull();
    expect(verdict('ok')).toBeNull();
    expect(phaseOf(named(queue, 'dependent'))).toBe('pending');
    expect(hopelessReason(named(queue, 'dependent'))).toContain('depends on');
    expect(hopelessReason(named(queue, 'array'))).toBeUndefined();
  });

  it('scontrol: a comment that looks like a field is none', () => {
    const jobs = parseScontrol(recorded(`${version}-scontrol`));
    expect(jobs.length).toBeGreaterThan(1);
    for (const job of jobs) expect(job.state).toMatch(/^[A-Z_]+$/);
    const line =
      'JobId=1 JobName=ok JobState=RUNNING Reason=None ExitCode=0:0 Comment=a JobState=FAILED b Power=';
    expect(parseScontrol(line)).toMatchObject([{ state: 'RUNNING', name: 'ok' }]);
  });

  it('shows what a partition gives', () => {
    const partitions = parsePartitions(recorded(`${version}-partitions`));
    expect(partitions.map(({ name }) => name)).toEqual(['batch', 'short', 'low']);
    const schedule = (nodes: number, options: Record<string, string>) =>
      ({
        scheduler: 'slurm',
        layout: { nodes, ranksPerNode: 1 },
        options,
        setup: [],
        bindCores: false,
        allocation: null,
      }) as const;
    expect(partitionFault(schedule(4, { time: '60' }), partitions)).toBeNull();
    expect(partitionFault(schedule(5, {}), partitions)?.problem).toContain('at most 4 nodes');
    expect(partitionFault(schedule(1, { time: '6', partition: 'short' }), partitions)?.expected).toBe(
      'at most 00:05:00',
    );
    expect(partitionFault(schedule(1, { partition: 'shrt' }), partitions)?.problem).toContain(
      'did you mean short?',
    );
    expect(partitionFault(schedule(1, { time: '6', partition: 'short,low' }), partitions)).toBeNull();
  });
});

describe('what sacct says at first (point 1)', () => {
  it('is not believed before it agrees', () => {
    const [pending] = parseSacct('12|PENDING|0:0|node1|None|allocation');
    const [hollow] = parseSacct('12|FAILED|0:0|node1|None|it');
    const [settled] = parseSacct('12|FAILED|3:0|node1|None|it');
    expect([pending!, hollow!, settled!].map((facts) => isSettled(facts, 'it'))).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe('what the script did decides over what Slurm calls it (point 9)', () => {
  const facts = (text: string): JobFacts => parseSqueue(text)[0]!;
  it('a script that killed itself was launched, one that wrote nothing was not', () => {
    const killed = facts('20|FAILED|JobLaunchFailure|9|0|node1|kill9|');
    expect(verdictOf(killed, true)).toBeNull();
    expect(verdictOf(killed, false)).toMatchObject({ class: 'launch_error' });
    const unlaunched = facts('21|FAILED|JobLaunchFailure|4021|0|node1|nofolder|');
    expect(verdictOf(unlaunched, false)?.reason).toContain('file system that the nodes see');
  });

  it('memory, deadlines, boots: the other states have their class', () => {
    const classes = ['OUT_OF_MEMORY', 'DEADLINE', 'BOOT_FAIL', 'REVOKED', 'LAUNCH_FAILED', 'COMPLETED'].map(
      (state) => verdictOf(facts(`1|${state}|None|0|0|node1|x|`), true)?.class ?? null,
    );
    expect(classes).toEqual(['host_oom', 'time_limit', 'node_fail', 'cancelled', 'launch_error', null]);
    expect(phaseOf({ state: 'SOMETHING_NEW' })).toBe('running');
  });
});

describe('what sbatch says', () => {
  it('is a job id, with the cluster where there are several (point 11)', () => {
    expect(parseSbatch('12\n')).toEqual({ jobId: '12', cluster: null });
    expect(parseSbatch('welcome to the cluster\n12;mini\n')).toEqual({ jobId: '12', cluster: 'mini' });
    expect(parseSbatch('Submitted batch job 12')).toBeUndefined();
    expect(parseSalloc('salloc: Pending job allocation 7')).toEqual({ jobId: '7' });
  });

  it.each([
    [
      'sbatch: error: invalid partition specified: nowhere\nallocation failure: Invalid partition name specified',
      'there is no such partition',
    ],
    ['sbatch: error: Invalid --time specification', 'the time limit cannot be read'],
    ['allocation failure: Requested node configuration is not available', 'no node of the partition has'],
    ['allocation failure: Invalid node name specified', 'there is no such node'],
    ['allocation failure: Requested reservation is invalid', 'there is no such reservation'],
    ['allocation failure: Invalid job array specification', 'the array is larger'],
    [
      'sbatch: error: Batch job submission failed: something new',
      'Slurm refuses it: Batch job submission failed: something new',
    ],
  ])('%j is understood', (stderr, problem) => {
    expect(parseRefusal(stderr).problem).toContain(problem);
  });

  it('tells a controller that is away from one that refuses (point 13)', () => {
    expect(isUnreachable('slurm_load_jobs error: Unable to contact slurm controller (connect failure)')).toBe(
      true,
    );
    expect(
      isUnreachable(
        'sacct: error: slurm_persist_conn_open_without_init: failed to open persistent connection to host:localhost:6819: Connection refused',
      ),
    ).toBe(true);
    expect(isUnreachable('scancel: error: Kill job error on job id 2: Access/permission denied')).toBe(false);
  });
});
