import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { JobPoller } from '../../../src/adapters/schedulers/slurm/poller.ts';
import { politePace } from '../../../src/core/slurm/poll-pace.ts';
import type { Context } from '../../../src/workflows/context.ts';
import { JobWatch } from '../../../src/workflows/slurm/job-watch.ts';

const path = mkdtempSync(join(tmpdir(), 'job-watch-'));
afterAll(() => {
  rmSync(path, { recursive: true });
});

const nowMs = Date.parse('2026-01-02T12:00:00Z');
const context = { now: () => nowMs } as Context;
const poller = new JobPoller(
  { env: { PATH: '/nowhere' }, cluster: null },
  { onSilence: () => undefined, onReturn: () => undefined },
  politePace,
);

/** A job whose node says when it began, by its own clock. */
function began(utc: string, restart = 0): void {
  const event = { event: 'start', utc, job: '12', restart, host: 'node1', nodes: 'node1', port: 20_000 };
  writeFileSync(join(path, 'job.ndjson'), `${JSON.stringify(event)}\n`, { flag: restart === 0 ? 'w' : 'a' });
}

function watchOf(submittedMs: number): JobWatch {
  return new JobWatch(context, { runId: 'it', path }, poller, {
    id: '12',
    name: 'it',
    nodes: 1,
    submittedMs,
  });
}

describe('the start of a job', () => {
  it.each(['2026-01-02T09:00:00Z', '2026-01-02T15:00:00Z'])(
    'that is seen is by this machine’s clock, whatever the node’s says: %s',
    (utc) => {
      writeFileSync(join(path, 'job.ndjson'), '');
      const watch = watchOf(nowMs);
      watch.look();
      expect(watch.startedMs).toBeNull();
      began(utc);
      watch.look();
      expect(watch.startedMs).toBe(nowMs);
      watch.stop();
    },
  );

  it.each([
    ['as the node has it', '2026-01-02T11:30:00Z', '2026-01-02T11:30:00Z'],
    ['not before it was submitted', '2026-01-02T09:00:00Z', '2026-01-02T11:00:00Z'],
    ['not later than now', '2026-01-02T15:00:00Z', '2026-01-02T12:00:00Z'],
  ])('that nobody saw is %s', (_, utc, expected) => {
    began(utc);
    const watch = watchOf(Date.parse('2026-01-02T11:00:00Z'));
    watch.look();
    expect(watch.startedMs).toBe(Date.parse(expected));
    watch.stop();
  });
});
