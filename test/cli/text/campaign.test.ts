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
  ...{ waiting: 0, waitingFor: null, remainingMs: 4_800_000, live: null },
};

describe('the line of a campaign', () => {
  it('says how far it is', () => {
    expect(progressLine(event)).toBe('      13 of 100 done, 1 failed, 3 running, about 1h20m left');
    expect(progressLine({ ...event, failed: 0, running: 0, remainingMs: null })).toBe('      12 of 100 done');
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
