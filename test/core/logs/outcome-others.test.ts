import { describe, expect, it } from 'vitest';
import type { ExitEvidence } from '../../../src/core/logs/events.ts';
import { classify, noExitEvidence } from '../../../src/core/logs/outcome.ts';
import { fixtureText, scanText } from './read-fixture.ts';

const known = (more: Partial<ExitEvidence>): ExitEvidence => ({ ...noExitEvidence, ...more });

describe('what was ended because another failed', () => {
  const step = 'slurmstepd: error: *** STEP 12.0 ON node2 CANCELLED AT 2026-01-02T03:04:05 ***\n';
  const swept = 'job.sbatch: line 44:  1234 Killed   /bin/sh run.sh\n';
  it.each([
    ['srun says so of it', step],
    ['a shell says so of it', swept],
  ])('hides nothing of the first: %s', (_, line) => {
    const outcome = classify(scanText(line), known({ exitCode: 3, failedFirst: true }));
    expect(outcome).toMatchObject({
      class: 'crash',
      reason: expect.stringContaining('exit status 3') as string,
    });
  });
  it('is no proof of another where there is none: launchers leave with 1 when they are ended', () => {
    expect(classify(scanText(step), known({ exitCode: 1 })).class).toBe('cancelled');
    expect(classify(scanText(swept), known({ exitCode: 1 })).class).toBe('killed_unknown');
  });
  it("is told by the program's own last words, where it has any, and not by what srun says of the end", () => {
    const srun = 'srun: launch/slurm: _step_signal: Terminating StepId=12.0\n';
    const exit = known({ exitCode: 7, failedFirst: true });
    expect(classify(scanText(`no such file: corpus\n${srun}`), exit).evidence).toBe('no such file: corpus');
    expect(classify(scanText(srun), exit).evidence).toBe(srun.trim());
  });
  it('is the failure itself where a launcher says that a rank of it was killed', () => {
    const line = 'traceback : Signal 9 (SIGKILL) received by PID 77\n';
    expect(classify(scanText(line), known({ exitCode: 1, failedFirst: true })).class).toBe('killed_unknown');
  });
});

describe('a run that was put back into its queue', () => {
  const text = fixtureText('builtin-0.19.8-h200-prism-2b-ok');
  const half = text.slice(0, text.indexOf(' peak memory |'));
  const lost = `${half}slurmstepd: error: *** STEP 9.0 ON a CANCELLED AT 2026-01-02T03:04:05 DUE TO JOB REQUEUE ***\n`;
  it('is its last life', () => {
    const again = scanText(`${lost} put back | restart: 1 |\n${text}`);
    const once = scanText(text);
    expect(again.iterationCount).toBe(once.iterationCount);
    expect(again.stepMs.values()).toEqual(once.stepMs.values());
    expect(again.evidence.size).toBe(once.evidence.size);
    const failed = scanText(`${lost} put back | restart: 1 |\n`);
    expect(classify(failed, known({ exitCode: 3 })).class).toBe('crash');
  });
});
