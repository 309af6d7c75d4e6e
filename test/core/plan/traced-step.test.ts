import { describe, expect, it } from 'vitest';
import { runScript } from '../../../src/core/plan/describe.ts';
import {
  timelineFaults,
  traceEnv,
  tracedStep,
  tracedStepOf,
  untraced,
} from '../../../src/core/plan/traced-step.ts';
import { sampleCase } from '../sample-case.ts';
import { samplePlan } from '../sample-plan.ts';
import { finishedLine, iterationLines, recordOf } from '../sample-record.ts';

describe('the step that is watched', () => {
  it('is the 8th, of a shorter run the last, or the one that was asked for', () => {
    expect(tracedStepOf('usual', { steps: 40 })).toBe(8);
    expect(tracedStepOf('usual', { steps: 5 })).toBe(5);
    expect(tracedStepOf(3, { steps: 40 })).toBe(3);
  });

  it('stands in the plan, so that the script, the record and a replay have it', () => {
    const plan = samplePlan({ steps: 40 }, { timeline: 'usual' });
    expect(plan.env).toMatchObject({ SUPEROFFLOAD_TRACE: 'timeline.json', SUPEROFFLOAD_TRACE_STEP: '8' });
    expect(runScript(plan)).toMatch(/^export SUPEROFFLOAD_TRACE_STEP=8$/m);
    expect(tracedStep(plan)).toBe(8);
    expect(tracedStep(samplePlan())).toBeNull();
    // A file of somebody's own is not the tool's.
    expect(tracedStep({ env: { ...traceEnv(3), SUPEROFFLOAD_TRACE: '/elsewhere.json' } })).toBeNull();
    expect(tracedStep({ env: { ...traceEnv(3), SUPEROFFLOAD_TRACE_STEP: 'x' } })).toBeNull();
  });

  it('is refused beyond the end of a run, and of other workloads, all at once', () => {
    const cases = [sampleCase({ steps: 40 }), sampleCase({ steps: 10, workload: 'megatron' })];
    expect(timelineFaults('usual', [sampleCase()])).toEqual([]);
    expect(timelineFaults(12, cases).map(({ place, problem }) => `${place} ${problem}`)).toEqual([
      '--timeline megatron writes none',
      '--timeline 12 a run has 10 steps',
    ]);
  });

  it('counts in no statistics: the record has it apart', () => {
    const stepMs = [2000, 100, 101, 99, 100, 100, 101, 500, 100, 99];
    const plan = samplePlan({ steps: 10 }, { timeline: 'usual' });
    const record = recordOf([...iterationLines(stepMs), finishedLine], { plan });
    expect(record.traced).toEqual({ iteration: 8, stepMs: 500 });
    expect(record.stepMs).toEqual(stepMs.filter((ms) => ms !== 500));
    expect(record.statistics?.maxMs).toBe(101);
    const plain = recordOf([...iterationLines(stepMs), finishedLine], { plan: samplePlan({ steps: 10 }) });
    expect(plain.traced).toBeUndefined();
    expect(plain.statistics?.maxMs).toBe(500);
    // A run that ended before it.
    const short = recordOf(iterationLines([2000, 100]), { plan });
    expect(short.traced).toEqual({ iteration: 8, stepMs: null });
    expect([...untraced(Float64Array.of(1, 2), 8)]).toEqual([1, 2]);
  });
});
