import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { describe, expect, it, vi } from 'vitest';
import { progressLine } from '../../../src/cli/text/progress.ts';
import { createReporter } from '../../../src/cli/reporter.ts';
import type { IterationEvent } from '../../../src/core/logs/events.ts';
import type { ProgressEvent } from '../../../src/workflows/events.ts';

const step: IterationEvent = {
  type: 'iteration',
  iteration: 7,
  plannedIterations: 30,
  stepMs: 1270,
  loss: 9.5,
  lossScale: null,
  gradNorm: null,
  globalBatch: 8,
  sequenceLength: null,
  skippedIterations: 0,
  nanIterations: 0,
  loggedTflops: null,
};
const runStep: ProgressEvent = {
  type: 'run-step',
  runId: 'r',
  step,
  plannedSteps: 30,
  tflopsPerGpu: 88.2,
  hostGiB: 41.2,
  gpuGiB: 88,
  elapsedMs: 10_000,
  remainingMs: 29_210,
};
const ended: ProgressEvent = {
  type: 'run-ended',
  runId: 'r',
  outcome: { class: 'hang', reason: 'no new iteration', evidence: null, rank: null, hint: null },
  medianStepMs: null,
  elapsedMs: 65_000,
};

describe('progressLine', () => {
  it.each<[ProgressEvent, string]>([
    [
      runStep,
      '      step 7/30  1.27 s/step  88.2 TFLOPS  loss 9.5  GPU 88 GiB  host 41.2 GiB (machine)  29s left',
    ],
    [
      {
        ...runStep,
        step: { ...step, stepMs: null, loss: null },
        plannedSteps: null,
        tflopsPerGpu: null,
        hostGiB: null,
        gpuGiB: null,
        remainingMs: null,
      },
      '      step 7',
    ],
    [ended, '      hang after 1m05s: no new iteration'],
    [
      { ...ended, outcome: { ...ended.outcome, class: 'ok', reason: 'fine' }, medianStepMs: 1270 },
      '      ok after 1m05s, median 1.27 s/step',
    ],
    [{ type: 'warning', message: 'm', hint: 'h' }, 'warning: m\n  h'],
    [{ type: 'task', id: 't', state: 'done', message: 'torch', elapsedMs: 20_000 }, 'ok  torch (20s)'],
    [{ type: 'task', id: 't', state: 'failed', message: 'torch' }, 'FAILED torch'],
    [{ type: 'run-started', runId: 'r', title: 'prism', index: 2, total: 6 }, '[2/6] prism  (r)'],
  ])('%o', (event, line) => {
    expect(progressLine(event)).toBe(line);
  });
});

describe('the reporter', () => {
  function drawn(isTTY: boolean, events: readonly ProgressEvent[]): string {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 40 });
    const reporter = createReporter(stream as unknown as WriteStream);
    for (const event of events) reporter.emit(event);
    reporter.close();
    return (stream.read() as Buffer | null)?.toString() ?? '';
  }

  it('writes plain lines where nobody watches: no escape codes', () => {
    const text = drawn(false, [runStep, ended]);
    expect(text).not.toContain('\u001b');
    expect(text.trim().split('\n')).toHaveLength(2);
  });

  it('writes of many quick steps the first, one in five seconds and the last', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const stream = Object.assign(new PassThrough(), { isTTY: false });
    const reporter = createReporter(stream as unknown as WriteStream);
    for (let iteration = 1; iteration <= 120; iteration += 1) {
      reporter.emit({ ...runStep, step: { ...step, iteration } });
      vi.advanceTimersByTime(100);
    }
    reporter.emit(ended);
    reporter.emit({ type: 'run-started', runId: 'next', title: 'next', index: 2, total: 2 });
    reporter.emit({ ...runStep, step: { ...step, iteration: 1 } });
    reporter.close();
    const text = (stream.read() as Buffer).toString();
    const steps = [...text.matchAll(/step (\d+)\//g)].map(([, iteration]) => Number(iteration));
    expect(steps).toEqual([1, 50, 100, 120, 1]);
    expect(text.indexOf('step 120/')).toBeLessThan(text.indexOf('hang after'));
    vi.useRealTimers();
  });

  it('keeps one live line on a terminal, cut to its width, and clears it for what stays', () => {
    const text = drawn(true, [runStep, ended]);
    expect(text).toBe(
      `${progressLine(runStep)?.slice(0, 39) ?? ''}\r\u001b[2K${progressLine(ended) ?? ''}\n`,
    );
  });

  it('leaves no live line behind', () => {
    expect(drawn(true, [runStep])).toMatch(/\r\u001b\[2K$/);
  });
});
