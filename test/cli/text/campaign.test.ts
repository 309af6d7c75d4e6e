import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { describe, expect, it, vi } from 'vitest';
import { longTable } from '../../../src/cli/text/long-table.ts';
import { progressLine, progressStatus } from '../../../src/cli/text/progress.ts';
import { createReporter } from '../../../src/cli/reporter.ts';
import { renderTable } from '../../../src/adapters/table.ts';
import type { CampaignEvent } from '../../../src/workflows/events.ts';

const event: CampaignEvent = {
  ...{ type: 'campaign', name: 'throughput', total: 100, done: 12, failed: 1, running: 3, left: 84 },
  launches: { done: 13, total: 100 },
  ...{ waiting: 0, waitingFor: null, remainingMs: 4_800_000, live: null },
};

describe('the line of a campaign', () => {
  it('says how far it is', () => {
    expect(progressLine(event)).toBe('      13 of 100 done, 1 failed, 3 running, about 1h20m left');
    expect(progressLine({ ...event, failed: 0, running: 0, remainingMs: null })).toBe('      12 of 100 done');
  });

  it('counts launches where a case has several', () => {
    const repeated = { total: 4, done: 0, failed: 0, running: 1, left: 3, launches: { done: 8, total: 12 } };
    expect(progressLine({ ...event, ...repeated, remainingMs: 110_000 })).toBe(
      '      8 of 12 launches, 0 of 4 cases whole, 1 running, about 1m50s left',
    );
  });

  it('is not written late to a log, beside what made it untrue', () => {
    const stream = new PassThrough();
    const reporter = createReporter(stream as unknown as WriteStream);
    const live = { ...event, live: { title: '', step: null } };
    reporter.emit(live);
    // The next one waits for its minute.
    reporter.emit({ ...live, done: 14 });
    reporter.emit({ type: 'note', message: '15 of 100 cases have a result' });
    reporter.emit({ ...live, done: 16 });
    reporter.close();
    const lines = String(stream.read()).trim().split('\n');
    expect(lines).toEqual([expect.stringMatching(/^\[13 of 100 done/), '15 of 100 cases have a result']);
  });

  it('tells those in the queue from those that run, and what they wait for', () => {
    const waiting = { waiting: 2, waitingFor: 'pending: Priority' };
    expect(progressLine({ ...event, ...waiting })).toContain('1 running, 2 pending: Priority');
  });

  it('is the live line while runs go on, and a line of its own when one has ended', () => {
    expect(progressStatus(event)).toBeUndefined();
    expect(progressStatus({ ...event, live: { title: '', step: null } })).toMatch(/^\[13 of 100 done/);
  });

  it('is written to a log once a minute at most, while nothing ends', () => {
    vi.useFakeTimers();
    try {
      const stream = new PassThrough();
      const reporter = createReporter(stream as unknown as WriteStream);
      const lines = (): number => String(stream.read() ?? '').split('\n').length - 1;
      for (let second = 0; second < 150; second += 1) {
        reporter.emit({ ...event, live: { title: '', step: null } });
        vi.advanceTimersByTime(1_000);
      }
      expect(lines()).toBe(3);
      reporter.emit(event);
      reporter.close();
      expect(lines()).toBeGreaterThan(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a task in a log', () => {
  it('that takes long is told twice a minute, with the time so far; a short one by its ends alone', () => {
    vi.useFakeTimers();
    try {
      const stream = new PassThrough();
      const reporter = createReporter(stream as unknown as WriteStream);
      const read = (): string[] =>
        String(stream.read() ?? '')
          .split('\n')
          .filter((line) => line !== '');
      const task = (seconds: number): string[] => {
        reporter.emit({ type: 'task', id: 'ops', state: 'start', message: 'build' });
        for (let second = 1; second <= seconds; second += 1) {
          const elapsedMs = second * 1_000;
          reporter.emit({ type: 'task-output', id: 'ops', line: `line ${second}`, elapsedMs });
          vi.advanceTimersByTime(1_000);
        }
        reporter.emit({
          type: 'task',
          id: 'ops',
          state: 'done',
          message: 'build',
          elapsedMs: seconds * 1_000,
        });
        return read();
      };
      expect(task(100)).toEqual([
        '... build',
        '... 30s line 30',
        '... 1m00s line 60',
        '... 1m30s line 90',
        'ok  build (1m40s)',
      ]);
      expect(task(20)).toEqual(['... build', 'ok  build (20s)']);
      reporter.close();
      expect(read()).toEqual([]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('longTable', () => {
  it('draws plain words as the other tables do', () => {
    const columns = [{ title: 'mode' }, { title: 's/step', align: 'right' }, { title: 'run' }] as const;
    const rows = [
      ['prism', '1.25', 'a'],
      ['zero_offload', '12', 'a longer one'],
    ];
    expect(longTable(columns, rows)).toBe(renderTable(columns, rows));
  });
});
