import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../../src/core/plan/run-plan.ts';
import { watchdogVerdict, type Pace } from '../../../src/core/plan/watchdog.ts';
import { planCommand } from '../../../src/core/plan/plan-command.ts';
import { sampleSystem } from '../sample-plan.ts';

const minute = 60_000;
const pace = (change: Partial<Pace>): Pace => ({
  nowMs: 0,
  startedMs: 0,
  lastStepMs: null,
  medianStepMs: null,
  ...change,
});

describe('watchdogVerdict', () => {
  it.each<[string, Pace, Partial<typeof defaultLimits>, 'timeout' | 'hang' | null]>([
    ['waits 15 minutes for the first step', pace({ nowMs: 15 * minute }), {}, null],
    ['and no longer', pace({ nowMs: 15 * minute + 1 }), {}, 'hang'],
    ['leaves a run of fast steps two minutes', pace({ nowMs: 121_000, lastStepMs: 1_000, medianStepMs: 10 }), {}, null], // prettier-ignore
    ['and no longer', pace({ nowMs: 121_001, lastStepMs: 1_000, medianStepMs: 10 }), {}, 'hang'],
    ['leaves slow steps 20 of their own', pace({ nowMs: 20 * minute, lastStepMs: 0, medianStepMs: minute }), {}, null], // prettier-ignore
    ['and no longer', pace({ nowMs: 20 * minute + 1, lastStepMs: 0, medianStepMs: minute }), {}, 'hang'],
    ['takes a step without a time for progress', pace({ nowMs: 100, lastStepMs: 0 }), {}, null],
    ['ends a run that progresses at its timeout', pace({ nowMs: 1_001, lastStepMs: 1_000 }), { timeoutMs: 1_000 }, 'timeout'], // prettier-ignore
    ['counts the timeout from the start', pace({ startedMs: 500, nowMs: 1_400 }), { timeoutMs: 1_000 }, null],
    ['names the timeout where both hold', pace({ nowMs: 60 * minute }), { timeoutMs: minute }, 'timeout'],
    ['takes a stall timeout as it is', pace({ nowMs: 2_001, lastStepMs: 0, medianStepMs: 900 }), { minStallMs: 2_000, stallFactor: 0 }, 'hang'], // prettier-ignore
  ])('%s', (_, given, limits, verdict) => {
    expect(watchdogVerdict(given, { ...defaultLimits, ...limits })).toBe(verdict);
  });
});

describe('a command', () => {
  it('may be silent as long as it likes, unless the user says otherwise', () => {
    const { limits } = planCommand({
      command: ['train'],
      system: sampleSystem(),
      chips: 1,
      cwd: '/',
      limits: {},
    });
    const pace = { nowMs: 1e9, startedMs: 0, lastStepMs: 5, medianStepMs: 10 };
    expect(watchdogVerdict(pace, limits)).toBeNull();
    expect(watchdogVerdict({ ...pace, lastStepMs: null }, limits)).toBeNull();
    expect(watchdogVerdict(pace, { ...limits, minStallMs: 1_000 })).toBe('hang');
  });
});
