import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { caseIdOf } from '../../../src/core/experiment/case-id.ts';
import { parseEvents, type RunEvent } from '../../../src/core/results/run-event.ts';
import { isRunId, runIdOf } from '../../../src/core/results/run-files.ts';
import { sampleCase } from '../sample-case.ts';

describe('run ids', () => {
  it('say when and what, and sort by time', () => {
    const id = runIdOf('2026-01-02T03:04:05.678Z', 'zero-offload-2b', '00ff');
    expect(id).toBe('20260102T030405Z-zero-offload-2b-00ff');
    expect(isRunId(id)).toBe(true);
    expect(id < runIdOf('2026-01-02T03:04:06.001Z', 'a', '0000')).toBe(true);
  });

  it('are recognized for every real case', () => {
    expect(isRunId(runIdOf('2026-01-02T03:04:05.678Z', caseIdOf(sampleCase()), 'abcd'))).toBe(true);
  });

  it.each([
    '',
    'notes',
    '.tmp',
    '20260102T030405Z',
    '20260102T030405Z-x',
    '20260102T030405Z-x-00fg',
    '2026-x-00ff',
    '20260102T030405Z-x/../y-00ff',
  ])('%j is none', (name) => {
    expect(isRunId(name)).toBe(false);
  });
});

describe('parseEvents', () => {
  const events: RunEvent[] = [
    { type: 'started', utc: 'a', pid: 1, startTicks: '2', toolPid: 3, toolStartTicks: null },
    { type: 'killed', utc: 'b', reason: 'hang' },
    { type: 'exited', utc: 'c', exitCode: null, signal: 'SIGKILL' },
  ];
  const journal = events.map((event) => `${JSON.stringify(event)}\n`).join('');

  it('reads what was written', () => {
    expect(parseEvents(journal)).toEqual(events);
    expect(parseEvents('')).toEqual([]);
  });

  it('keeps every whole event of a journal that was cut anywhere', () => {
    fc.assert(
      fc.property(fc.nat({ max: journal.length }), (end) => {
        const whole = journal.slice(0, end).split('\n').length - 1;
        const read = parseEvents(journal.slice(0, end));
        expect(read.slice(0, whole)).toEqual(events.slice(0, whole));
        expect(read.length).toBeLessThanOrEqual(whole + 1);
      }),
    );
  });
});
