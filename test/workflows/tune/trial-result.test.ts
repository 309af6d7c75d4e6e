import { describe, expect, it } from 'vitest';
import { trialResultOf } from '../../../src/workflows/tune/trial-result.ts';
import { realRecords } from '../../core/figures/scene-inputs.ts';

/** Runs on an H200 (bench/measured/h200-runs.tar.gz). */
describe('what a run says to a tuning', () => {
  it('is time, rate and what both memories held, of a run that was measured', () => {
    const measured = realRecords.filter(
      ({ outcome, statistics }) => outcome.class === 'ok' && statistics !== null,
    );
    expect(measured.length).toBeGreaterThan(10);
    for (const record of measured) {
      const result = trialResultOf(record);
      expect(result, record.runId).toMatchObject({ kind: 'measured', isWhole: true });
      if (result?.kind !== 'measured') continue;
      expect(result.medianStepMs).toBe(record.statistics?.medianMs);
      expect(result.gpuGiB).toBeGreaterThanOrEqual(record.memory.gpuAllocatedGiB!);
      expect(result.hostGiB).toBeGreaterThan(1);
      expect(result.tflopsPerGpu).toBeGreaterThan(1);
    }
  });

  it('counts no memory that the overlap optimizer reserved for gradients that waited for the link', () => {
    const [record] = realRecords.filter(({ outcome }) => outcome.class === 'ok');
    const memory = { ...record!.memory, gpuAllocatedGiB: 127.8, gpuReservedGiB: 136 };
    const of = (mode: 'prism_overlap' | 'zero_2') =>
      trialResultOf({ ...record!, case: { ...record!.case!, mode }, memory });
    expect(of('prism_overlap')).toMatchObject({ gpuGiB: 127.8 + 2.4 });
    expect(of('zero_2')).toMatchObject({ gpuGiB: 136 });
  });

  it('is the memory that ran out, where one did', () => {
    const walls = realRecords
      .filter(({ outcome }) => outcome.class.endsWith('_oom') || outcome.class === 'shm_full')
      .map((record) => trialResultOf(record));
    expect(walls.length).toBeGreaterThan(0);
    for (const result of walls) expect(result).toMatchObject({ kind: 'memory' });
  });

  it('is nothing where a person stopped it, a failure with its reason where it broke, and no whole measurement where it was given up', () => {
    const [record] = realRecords.filter(({ outcome }) => outcome.class === 'ok');
    const ended = (name: 'interrupted' | 'crash' | 'time_limit' | 'gpu_oom') => ({
      ...record!,
      outcome: { ...record!.outcome, class: name, reason: 'why' },
    });
    expect(trialResultOf(ended('interrupted'))).toBeNull();
    expect(trialResultOf(ended('crash'))).toEqual({ kind: 'failed', reason: 'crash: why' });
    const exit = { ...record!.exit, stoppedBy: 'timeout' as const };
    expect(trialResultOf({ ...ended('time_limit'), exit })).toEqual({ kind: 'unfinished', reason: 'why' });
    // A rank fails, and the others wait for it until the time is over.
    expect(trialResultOf({ ...ended('gpu_oom'), exit })).toEqual({ kind: 'memory', wall: 'gpu' });
    expect(trialResultOf({ ...ended('crash'), exit })).toEqual({ kind: 'failed', reason: 'crash: why' });
    const early = { ...record!, abandoned: { aboveMs: 1 } };
    expect(trialResultOf(early)).toMatchObject({ kind: 'measured', isWhole: false });
    expect(trialResultOf({ ...ended('crash'), abandoned: { aboveMs: 1 } })).toMatchObject({ kind: 'failed' });
  });
});
