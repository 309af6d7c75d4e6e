import { describe, expect, it } from 'vitest';
import type { ExitEvidence } from '../../../src/core/logs/events.ts';
import { classify, noExitEvidence } from '../../../src/core/logs/outcome.ts';
import { fixtureText, scanText } from './read-fixture.ts';

const known = (more: Partial<ExitEvidence>): ExitEvidence => ({ ...noExitEvidence, ...more });

describe('of the overlap optimizer’s thread', () => {
  const of = (name: string) => classify(scanText(fixtureText(name)), known({ exitCode: 1 }));
  it('worker_dead says what it died of, with advice of its own', () => {
    expect(of('builtin-0.19.8-overlap-worker_dead-failed')).toMatchObject({
      reason: "the overlap optimizer's thread failed",
      evidence: expect.stringContaining("the CPU optimizer failed: ValueError('planted')") as string,
      hint: expect.stringContaining('report it with the log') as string,
    });
    const stalled = of('builtin-0.19.8-overlap-worker_dead-stalled');
    expect(stalled.reason).toBe("the overlap optimizer's thread stood still");
    expect(stalled.hint).toContain('stall_seconds');
    const gone = 'RuntimeError: superoffload: the thread of the CPU optimizer has ended\n';
    expect(classify(scanText(gone), noExitEvidence).class).toBe('worker_dead');
  });
  it('memory that it could not have is the host’s', () => {
    const outcome = of('builtin-0.19.8-overlap-host_oom-thread');
    expect(outcome.evidence).toBe('MemoryError: no room for a block');
    const registered =
      'RuntimeError: superoffload: 80.00 GiB of host memory could not be registered: cudaError.x. See ...\n';
    expect(classify(scanText(registered), noExitEvidence).class).toBe('host_oom');
  });
  it('what it refuses is a config error, and a library that cannot be built an install error', () => {
    expect(of('builtin-0.19.8-overlap-config_error-offload_param').hint).toContain('another --mode');
    const line = (text: string) => classify(scanText(`${text}\n`), known({ exitCode: 1 })).class;
    const fault = 'ValueError: superoffload.threads: unknown; known are optimizer, host_memory';
    expect(line(fault)).toBe('config_error');
    for (const said of [
      'superoffload.casts "fused" is for ZeRO-2 with its optimizer on the CPU, and this is stage 3',
      'superoffload.optimizer "overlap" is for ZeRO-3; for ZeRO-2 set superoffload.casts to "fused"',
      'superoffload.host_memory "registered" and DS_PIN_MEMORY_BACKEND=native both say where pinned',
    ])
      expect(line(`ValueError: ${said}`), said).toBe('config_error');
    expect(line('RuntimeError: superoffload: c++ could not build adam.cpp:')).toBe('install_error');
  });
});
