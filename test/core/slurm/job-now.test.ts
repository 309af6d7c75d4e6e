import { describe, expect, it } from 'vitest';
import { parseJobJournal } from '../../../src/core/slurm/job-journal.ts';
import { jobNow, type JobView } from '../../../src/core/slurm/job-now.ts';
import { parseSacct } from '../../../src/core/slurm/parse-accounting.ts';
import { parseSqueue } from '../../../src/core/slurm/parse-controller.ts';

const base = { utc: '2026-01-02T03:04:05Z', job: '12' };
const start = { ...base, event: 'start', restart: 0, host: 'node1', nodes: 'node1', port: 20_000 };
const end = (exitCode: number) => ({ ...base, event: 'end', restart: 0, exitCode });
const signal = (name: string) => ({ ...base, event: 'signal', restart: 0, signal: name });

/** A view of job 12: what its journal, the controller and sacct say. */
function view(
  journal: readonly object[],
  { queue, accounts, ...rest }: Partial<JobView> & { queue?: string; accounts?: string } = {},
): JobView {
  return {
    name: 'it',
    journal: parseJobJournal(journal.map((event) => JSON.stringify(event)).join('\n')),
    isWhole: false,
    controller: queue === undefined ? null : parseSqueue(`12|${queue}|node1|it|`)[0]!,
    isForgotten: false,
    accounting: accounts === undefined ? null : parseSacct(`12|${accounts}|it`)[0]!,
    silentMs: 0,
    ...rest,
  };
}

const hour = 3_600_000;

describe('jobNow', () => {
  it('waits for what Slurm says it waits', () => {
    expect(jobNow(view([]))).toMatchObject({ phase: 'pending', reason: null });
    expect(jobNow(view([], { queue: 'PENDING|Priority|0|0' }))).toMatchObject({
      reason: 'Priority',
      hopeless: null,
    });
    expect(jobNow(view([], { queue: 'PENDING|PartitionConfig|0|0' }))).toMatchObject({
      hopeless: 'no set of nodes of the partition has what it asks for',
    });
  });

  it('runs from its own first word on, though the controller was last asked before', () => {
    expect(jobNow(view([start], { queue: 'PENDING|Priority|0|0' }))).toMatchObject({ phase: 'running' });
    expect(jobNow(view([], { queue: 'RUNNING|None|0|0' }))).toMatchObject({
      phase: 'running',
      nodes: 'node1',
    });
  });

  it('is over at once when it and all of its nodes ended well, whoever else is silent', () => {
    const good = view([start, end(0)], { isWhole: true, queue: 'RUNNING|None|0|0' });
    expect(jobNow(good)).toEqual({ phase: 'ended', exitCode: 0, signal: null, verdict: null });
  });

  it('believes no status 0 of a script whose nodes did not all end: srun leaves so when one dies', () => {
    expect(jobNow(view([start, end(0)], { queue: 'RUNNING|None|0|0' }))).toMatchObject({ phase: 'running' });
    expect(jobNow(view([start, end(0)], { queue: 'NODE_FAIL|NodeDown|0|0' }))).toMatchObject({
      exitCode: null,
      verdict: { class: 'node_fail' },
    });
    expect(jobNow(view([start, end(0)], { queue: 'COMPLETED|None|0|0' }))).toMatchObject({
      exitCode: 0,
      verdict: null,
    });
  });

  it('never takes the word on another job: a controller that lost its state gives ids a second time', () => {
    // Seen with 22.05 after kill -9: sacct tells of the newer job 12 only.
    const [accounting] = parseSacct('12|CANCELLED by 0|0:0|node1|ReqNodeNotAvail|another');
    const lost = view([start], { accounting: accounting!, isForgotten: true, silentMs: hour });
    expect(jobNow(lost)).toEqual({ phase: 'ended', exitCode: null, signal: null, verdict: null });
    const failed = view([start, end(5)], { accounting: accounting!, isForgotten: true, silentMs: hour });
    expect(jobNow(failed)).toMatchObject({ exitCode: 5, verdict: null });
  });

  it('asks why a bad end came, and takes the word of the files after a minute', () => {
    const bad = [start, end(1)];
    expect(jobNow(view(bad, { queue: 'RUNNING|None|0|0' }))).toMatchObject({ phase: 'running' });
    expect(jobNow(view(bad, { queue: 'RUNNING|None|0|0', silentMs: hour }))).toMatchObject({
      phase: 'ended',
      exitCode: 1,
    });
    expect(jobNow(view(bad, { queue: 'FAILED|NonZeroExitCode|256|0' }))).toMatchObject({
      phase: 'ended',
      exitCode: 1,
    });
  });

  it('may begin again after it was ended', () => {
    const ended = [start, signal('TERM'), end(143)];
    expect(jobNow(view(ended, { queue: 'PENDING|BeginTime|0|1' }))).toMatchObject({ phase: 'pending' });
    const again = [...ended, { ...start, restart: 1 }];
    expect(jobNow(view(again, { queue: 'PENDING|BeginTime|0|1' }))).toMatchObject({ phase: 'running' });
    expect(jobNow(view(ended, { queue: 'PREEMPTED|None|15|0' }))).toMatchObject({
      verdict: { class: 'preempted' },
    });
  });

  it('asks the database about a job that the controller forgot, once that agrees', () => {
    const forgotten = { isForgotten: true, queue: 'RUNNING|None|0|0' };
    const hollow = { ...forgotten, accounts: 'FAILED|0:0|node1|None' };
    expect(jobNow(view([start], hollow))).toMatchObject({ phase: 'running' });
    expect(jobNow(view([start], { ...hollow, silentMs: hour }))).toMatchObject({ phase: 'ended' });
    expect(jobNow(view([start], { ...forgotten, accounts: 'TIMEOUT|0:0|node1|None' }))).toMatchObject({
      verdict: { class: 'time_limit' },
    });
  });

  it('is lost where nobody knows anything, and never began where it wrote nothing', () => {
    const forgotten = { isForgotten: true, silentMs: hour };
    expect(jobNow(view([start], forgotten))).toEqual({
      phase: 'ended',
      exitCode: null,
      signal: null,
      verdict: null,
    });
    expect(jobNow(view([], forgotten))).toMatchObject({ verdict: { class: 'launch_error' } });
  });

  it('ended for its time limit where it was asked to, though Slurm calls it completed', () => {
    const limited = view([start, signal('USR1'), end(0)], { isWhole: true });
    expect(jobNow(limited)).toMatchObject({ exitCode: 0, verdict: { class: 'time_limit' } });
  });

  it('was cancelled where it was told to end, and nobody knows any more by whom', () => {
    const ended = view([start, signal('TERM'), end(1)], { isForgotten: true, silentMs: hour });
    expect(jobNow(ended)).toMatchObject({ exitCode: 1, verdict: { class: 'cancelled' } });
    const preempted = view([start, signal('TERM'), end(1)], { queue: 'PREEMPTED|None|0|0' });
    expect(jobNow(preempted)).toMatchObject({ verdict: { class: 'preempted' } });
  });

  it('knows its own exit status better than sacct', () => {
    const facts = { isForgotten: true, accounts: 'FAILED|15:0|node1|None' };
    expect(jobNow(view([start, end(143)], facts))).toMatchObject({ exitCode: 143, signal: null });
    expect(jobNow(view([start], { queue: 'FAILED|JobLaunchFailure|9|0' }))).toMatchObject({
      exitCode: null,
      signal: 'SIGKILL',
    });
  });
});

describe('parseJobJournal', () => {
  it('drops what is cut, and what was of an earlier life', () => {
    const lines = [start, signal('USR1'), { ...start, restart: 1 }].map((event) => JSON.stringify(event));
    const journal = parseJobJournal(`${lines.join('\n')}\nnull\n7\n{"event":"end","exi`);
    expect(journal).toMatchObject({ restart: 1, limitCame: false, endUtc: null, jobId: '12' });
  });

  it('keeps who could not be ended', () => {
    const left = { ...base, event: 'left', restart: 0, host: 'node2', pids: [4, 5] };
    expect(parseJobJournal(JSON.stringify(left)).left).toEqual([{ host: 'node2', pids: [4, 5] }]);
  });
});
